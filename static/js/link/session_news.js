// @ts-check
/**
 * The word that somebody has signed out, from whichever page to all that shows or keeps figures in
 * this browser.
 */

const NAME = "signed out";

/** @param {string} reason as the sign-in page knows it */
export function tellSignedOut(reason) {
  if (typeof BroadcastChannel === "undefined") return;
  const channel = new BroadcastChannel(NAME);
  channel.postMessage(reason);
  channel.close();
}

/** @param {(reason: string) => void} listener */
export function onSignedOut(listener) {
  if (typeof BroadcastChannel === "undefined") return;
  new BroadcastChannel(NAME).addEventListener("message", ({ data }) => listener(data));
}
