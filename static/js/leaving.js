// @ts-check
/**
 * Signing out, and the question before what can't be taken back.
 */

import { ApiError, FORGET_SECONDS, post } from "./api.js";
import { part } from "./elements/template.js";
import { tellSigningOut } from "./link/session_news.js";

/**
 * The buttons for it in the account's menu.
 *
 * @param {(reason: string) => void} leave goes to the sign-in, which says why
 */
export function bindSignOut(leave) {
  /** @type {HTMLDialogElement} */
  const confirmation = part(document, "#forget");
  part(document, "#sign-out").addEventListener("click", () => signOut(false, leave));
  part(document, "#sign-out-forget").addEventListener("click", () => confirmation.showModal());
  confirmation.addEventListener("submit", async (event) => {
    /** @type {HTMLButtonElement} */
    const answer = part(confirmation, "[value=forget]");
    if (event.submitter !== answer) return;
    // It stays, and says that it takes a while: of a long history it does.
    event.preventDefault();
    const words = answer.textContent;
    answer.disabled = true;
    answer.textContent = "Deleting…";
    await signOut(true, leave);
    answer.disabled = false;
    answer.textContent = words;
    confirmation.close();
  });
}

/** @param {boolean} forget @param {(reason: string) => void} leave */
async function signOut(forget, leave) {
  const failure = part(document, ".page-failure");
  failure.hidden = true;
  tellSigningOut("signed_out");
  try {
    await post("logout", { forget }, forget ? FORGET_SECONDS : undefined);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Who is signed out already is where they wanted to be.
    if (error.status !== 401) {
      tellSigningOut(null);
      failure.textContent = error.message;
      failure.hidden = false;
      return;
    }
  }
  leave("signed_out");
}
