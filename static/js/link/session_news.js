// @ts-check
/**
 * The word that somebody has signed out, from whichever page to all that shows or keeps figures in
 * this browser.
 */

const SIGNED_OUT = "signed out";
const SIGNING_OUT = "signing out";

/** @param {string} reason as the sign-in page knows it */
export function tellSignedOut(reason) {
  tell(SIGNED_OUT, reason);
}

/**
 * Before the server is asked: it ends the streams of the session, and who is told by that alone
 * would take it for one that ran out.
 *
 * @param {string | null} reason as the sign-in page knows it; null: nothing came of it
 */
export function tellSigningOut(reason) {
  tell(SIGNING_OUT, reason);
}

/**
 * @param {import("./switchboard.js").Switchboard} switchboard is told of both
 * @returns {() => void} ends it
 */
export function followNews(switchboard) {
  const ends = [
    listen(SIGNED_OUT, (reason) => switchboard.end(reason)),
    listen(SIGNING_OUT, (reason) => switchboard.expectEnd(reason)),
  ];
  return () => ends.forEach((end) => end());
}

/** @param {string} name @param {string | null} reason */
function tell(name, reason) {
  if (typeof BroadcastChannel === "undefined") return;
  const channel = new BroadcastChannel(name);
  channel.postMessage(reason);
  channel.close();
}

/** @param {string} name @param {(reason: any) => void} listener @returns {() => void} */
function listen(name, listener) {
  if (typeof BroadcastChannel === "undefined") return () => {};
  const channel = new BroadcastChannel(name);
  channel.addEventListener("message", ({ data }) => listener(data));
  return () => channel.close();
}
