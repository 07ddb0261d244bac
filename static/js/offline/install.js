// @ts-check
/**
 * Has the browser keep the shell, for when the server can't be reached.
 */

import { eraseOfOthers } from "./erasing.js";

/** At the root: a service worker is for the pages below its own address. */
const WORKER = "/service-worker.js";

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
    const registration = await navigator.serviceWorker.register(trusted(WORKER), {
      type: "module",
      updateViaCache: "none",
    });
    // By itself a browser looks for a newer one when it sees fit, which may be long after.
    if (registration.active) await registration.update();
  } catch {
    // The page is as good without; it is tried again with the next.
  }
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
