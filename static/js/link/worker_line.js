// @ts-check
/**
 * The way from a page to the worker that all tabs share.
 */

/** @typedef {import("./messages.js").Port} Port */

/**
 * What the server wrote into the page about the worker.
 *
 * @typedef {object} Address
 * @property {string} url
 * @property {string} session whose stream it is; another session is another worker's
 * @property {string} user
 */

/**
 * @param {ParentNode} [root]
 * @returns {Address | null}
 */
export function addressIn(root = document) {
  const link = root.querySelector("#stream-worker");
  if (!(link instanceof HTMLLinkElement)) return null;
  return { url: link.href, session: link.dataset.session ?? "", user: link.dataset.user ?? "" };
}

/**
 * A line to the worker that all tabs of this session share.
 *
 * @param {Address} address
 * @param {() => void} onFailed the worker can't be had
 * @returns {Port | null} null where browsers have none
 */
export function lineToWorker({ url, session, user }, onFailed) {
  try {
    const worker = new SharedWorker(trusted(url), {
      type: "module",
      name: `positions ${session} ${user}`,
    });
    worker.addEventListener("error", onFailed);
    return /** @type {Port} */ (worker.port);
  } catch {
    return null;
  }
}

/** @type {{createScriptURL: (url: string) => any} | undefined} */
let policy;

/**
 * The address as one that browsers run programs from. The page names it, and nobody else.
 *
 * @param {string} url
 * @returns {string} or a TrustedScriptURL, which the types of constructors do not know yet
 */
function trusted(url) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  policy ??= trustedTypes?.createPolicy("stream-worker", { createScriptURL: ourOwn });
  return policy ? policy.createScriptURL(url) : url;
}

/** @param {string} url */
function ourOwn(url) {
  if (url !== addressIn()?.url) throw new TypeError("This is not the address of our worker.");
  return url;
}
