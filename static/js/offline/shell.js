// @ts-check
/**
 * The page where the server can't be reached: the shell that the browser kept, with the figures
 * that it saved.
 */

import { part } from "../elements/template.js";
import { erase, load } from "../link/saved_picture.js";
import { forgetHeld } from "./erasing.js";
import { asSaved, mayBeShown } from "./saved_view.js";

/** @typedef {import("../link/saved_picture.js").SavedPicture} SavedPicture */
/** @typedef {import("../store.js").Store} Store */

/** Whether this is the shell, which is nobody's, and no page that the server has just made. */
export const isShell = globalThis.document?.body.hasAttribute("data-shell") ?? false;

/**
 * The figures that this browser saved.
 *
 * @param {Store} store takes them in
 * @returns {Promise<SavedPicture | null>} null if there are none, or this is not the shell
 */
export async function savedPicture(store) {
  if (!isShell) return null;
  // Who was on their way out when the server went is out.
  if (new URLSearchParams(location.search).has("reason")) await erase();
  const picture = await load();
  if (!picture) return null;
  if (!mayBeShown(picture, Date.now())) {
    await erase();
    return null;
  }
  const saved = asSaved(picture);
  // By this computer's clock: what was known of the server's may be days old.
  for (const each of saved.snapshots) store.apply(each, Date.parse(each.server_time));
  for (const sum of saved.sums) store.apply({ ...sum, type: "portfolio" });
  return saved;
}

/** The one thing that can be done about oneself without the server. */
export function bindErasing() {
  part(document, "#erase-saved").addEventListener("click", async () => {
    await erase();
    forgetHeld();
    location.reload();
  });
}

/** The server is back: its own page, with who is in, comes in the place of this one. */
export function goLive() {
  if (location.pathname === "/") location.reload();
  else location.replace(`/${location.hash}`);
}
