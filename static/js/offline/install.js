// @ts-check
/**
 * Has the browser keep the shell, for when the server can't be reached.
 */

import { eraseOfOthers } from "./erasing.js";

/** At the root: a service worker is for the pages below its own address. */
const WORKER = "/service-worker.js";

/** Between two attempts: a server that has just come back may be busy. */
const WAITS_MS = [2_000, 10_000, 60_000];

/**
 * Once the page is there: what is kept for another day must not come before what is asked for now.
 *
 * @param {string} userId who is in
 */
export function installShell(userId) {
  const install = () => {
    eraseOfOthers(userId);
    register();
  };
  if (document.readyState === "complete") install();
  else addEventListener("load", install, { once: true });
}

async function register() {
  // Browsers have no service workers at addresses that aren't secure, and some in no private window.
  if (!navigator.serviceWorker) return;
  try {
    await keep(navigator.serviceWorker, trusted(WORKER));
  } catch {
    // A browser that takes no address of ours for a program: the page is as good without.
  }
}

/**
 * Have the shell of the server's version kept. By itself a browser looks for a newer one when it
 * sees fit, which may be long after, and does not come back to one that it could not fetch.
 *
 * @param {Pick<ServiceWorkerContainer, "register">} container
 * @param {string} url
 * @param {(ms: number) => Promise<void>} [wait]
 * @returns {Promise<boolean>} whether it is; if not, it is tried again with the next page
 */
export async function keep(container, url, wait = pause) {
  for (const ms of WAITS_MS) {
    if (await isKept(container, url)) return true;
    await wait(ms);
  }
  return isKept(container, url);
}

/** @param {Pick<ServiceWorkerContainer, "register">} container @param {string} url */
async function isKept(container, url) {
  try {
    const registration = await container.register(url, { type: "module", updateViaCache: "none" });
    if (registration.active) await registration.update();
    const { installing } = registration;
    return installing ? await isInstalled(installing) : true;
  } catch {
    return false;
  }
}

/** @param {ServiceWorker} worker @returns {Promise<boolean>} false if it could not fetch all */
function isInstalled(worker) {
  return new Promise((resolve) => {
    const look = () => {
      if (worker.state !== "installing") resolve(worker.state !== "redundant");
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

/** @param {number} ms @returns {Promise<void>} */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * The address as one that browsers run programs from.
 *
 * @param {string} url
 * @returns {string} or a TrustedScriptURL, which the types do not know yet
 */
function trusted(url) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  const policy = trustedTypes?.createPolicy("service-worker", { createScriptURL: ourOwn });
  return policy ? policy.createScriptURL(url) : url;
}

/** @param {string} url */
function ourOwn(url) {
  if (url !== WORKER) throw new TypeError("This is not the address of our service worker.");
  return url;
}
