// @ts-check
/**
 * Figures that are kept are one person's: they go with the session.
 */

import { erase, load } from "../link/saved_picture.js";

/** Who leaves must not wait for a storage that hangs. */
const ERASE_MS = 1_000;

/** @returns {Promise<void>} fulfilled once nothing is kept, or that takes too long */
export async function erased() {
  await Promise.race([erase(), new Promise((resolve) => setTimeout(resolve, ERASE_MS))]);
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
