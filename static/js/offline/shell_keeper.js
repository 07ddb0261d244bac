// @ts-check
/**
 * What the service worker does: it keeps the shell, which is the dashboard without anybody's
 * figures, and shows it where the server can't be reached.
 *
 * Whatever else a page asks for it lets pass: no call, no stream, no other page and nothing that
 * is of one person is ever kept.
 */

/**
 * @typedef {object} Shell
 * @property {string} version changes with everything that is kept
 * @property {string} page the shell's address
 * @property {string[]} files addresses of static files; none where their names have no hash
 *
 * @typedef {Event & {waitUntil: (work: Promise<unknown>) => void}} LastingEvent
 * @typedef {Event & {request: Request, preloadResponse: Promise<Response | undefined>,
 *   respondWith: (response: Promise<Response>) => void}} AskingEvent
 *
 * @typedef {object} Scope what is used of a ServiceWorkerGlobalScope, which TypeScript's DOM lacks
 * @property {{origin: string}} location
 * @property {CacheStorage} caches
 * @property {typeof fetch} fetch
 * @property {() => Promise<void>} skipWaiting
 * @property {{navigationPreload?: {enable: () => Promise<void>}}} registration
 * @property {(type: string, listener: (event: any) => void) => void} addEventListener
 */

/** Others may live at the same address, on another day. */
const PREFIX = "kalshi-live-shell-";

/** A server that takes longer than this for a page can't be reached, as far as people can tell. */
const ANSWER_MS = 10_000;

/** @param {Scope} scope @param {Shell} shell */
export function keepShell(scope, shell) {
  // Without names that change with their content a file that is kept would be an old one.
  const isKept = shell.files.length > 0;
  scope.addEventListener("install", (/** @type {LastingEvent} */ event) => {
    // At once: who has the page open for days must not be held on to what they have.
    scope.skipWaiting();
    if (isKept) event.waitUntil(fill(scope, shell));
  });
  scope.addEventListener("activate", (/** @type {LastingEvent} */ event) => {
    event.waitUntil(Promise.all([dropOthers(scope, shell), preload(scope)]));
  });
  if (!isKept) return;
  const files = new Set(shell.files);
  scope.addEventListener("fetch", (/** @type {AskingEvent} */ event) => {
    const { method, mode, url } = event.request;
    const { origin, pathname } = new URL(url);
    if (method !== "GET" || origin !== scope.location.origin) return;
    if (mode === "navigate") {
      if (pathname === "/") event.respondWith(page(scope, shell, event));
    } else if (files.has(pathname)) event.respondWith(file(scope, shell, event.request));
  });
}

/** @param {Shell} shell */
function nameOf({ version }) {
  return PREFIX + version;
}

/** @param {Scope} scope @param {Shell} shell */
async function fill(scope, shell) {
  const cache = await scope.caches.open(nameOf(shell));
  // Asked for by nobody: there is no cookie along with it.
  const address = new URL(shell.page, scope.location.origin);
  const page = new Request(address, { credentials: "omit", cache: "no-cache" });
  await cache.addAll([page, ...shell.files]);
}

/** @param {Scope} scope @param {Shell} shell */
async function dropOthers(scope, shell) {
  const names = await scope.caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== nameOf(shell));
  await Promise.all(old.map((name) => scope.caches.delete(name)));
}

/** The page's request must not wait for this program to start. @param {Scope} scope */
async function preload(scope) {
  await scope.registration.navigationPreload?.enable();
}

/**
 * The server's page, whatever it is; the shell only where there is no answer at all.
 *
 * @param {Scope} scope @param {Shell} shell @param {AskingEvent} event
 */
async function page(scope, shell, event) {
  const fromServer = answerOf(scope, event);
  try {
    return await Promise.race([fromServer, tooLong()]);
  } catch {
    const cache = await scope.caches.open(nameOf(shell));
    return (await cache.match(shell.page)) ?? fromServer;
  }
}

/** @param {Scope} scope @param {AskingEvent} event */
async function answerOf(scope, { request, preloadResponse }) {
  return (await preloadResponse) ?? scope.fetch(request);
}

/** @returns {Promise<never>} */
function tooLong() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error("the server has not answered")), ANSWER_MS);
  });
}

/** @param {Scope} scope @param {Shell} shell @param {Request} request */
async function file(scope, shell, request) {
  const cache = await scope.caches.open(nameOf(shell));
  return (await cache.match(request, { ignoreVary: true })) ?? scope.fetch(request);
}
