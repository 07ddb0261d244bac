// @ts-check
/**
 * What is kept in this browser of somebody's holdings is theirs alone: it goes with the session.
 */

import { erase, load } from "../link/saved_picture.js";
import { tellSignedOut } from "../link/session_news.js";

/** Who leaves must not wait for a storage that hangs. */
const ERASE_MS = 1_000;

/** Where `preferences.js` keeps them. */
const PREFERENCES = "preferences";

/** @returns {Promise<void>} fulfilled once nothing is kept, or that takes too long */
export async function erased() {
  await Promise.race([erase(), new Promise((resolve) => setTimeout(resolve, ERASE_MS))]);
}

/**
 * Take out of the preferences what tells of holdings: the account that is looked at, and what is
 * pinned. The rest tells of nobody, and stays for who comes next.
 *
 * @param {number} [accountId] of this account alone
 */
export function forgetHeld(accountId) {
  try {
    const { account = "", pinned = [], ...others } = JSON.parse(localStorage.getItem(PREFERENCES) ?? "{}");
    const isOther = (/** @type {string} */ key) =>
      accountId !== undefined && key.split("/")[0] !== String(accountId);
    const kept = { account: isOther(account) ? account : "", pinned: pinned.filter(isOther) };
    localStorage.setItem(PREFERENCES, JSON.stringify({ ...others, ...kept }));
  } catch {
    // Where nothing can be stored, or read, nothing is kept.
  }
}

/**
 * Who was in is out, or somebody else has come in: nothing of theirs is kept or shown any more.
 *
 * @param {string} reason as the sign-in page knows it
 * @returns {Promise<void>} as `erased`
 */
export function leaveNothing(reason) {
  forgetHeld();
  // Else dashboards would find out by being refused, or go on with the figures of who is in now.
  tellSignedOut(reason);
  return erased();
}

/**
 * Keep nothing of anybody else: who is in came another way than by the sign-in page, say.
 *
 * @param {string} userId who is in
 */
export async function eraseOfOthers(userId) {
  const picture = await load();
  if (picture && picture.userId !== userId) await erase();
}
