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

/**
 * @param {(reason: string) => void} listener
 * @returns {() => void} ends it
 */
export function onSignedOut(listener) {
  if (typeof BroadcastChannel === "undefined") return () => {};
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", ({ data }) => listener(data));
  return () => channel.close();
}
