// @ts-check
/**
 * Signing out, and the question before what can't be taken back.
 */

import { ApiError, post } from "./api.js";
import { part } from "./elements/template.js";

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
  confirmation.addEventListener("close", () => {
    if (confirmation.returnValue === "forget") signOut(true, leave);
    confirmation.returnValue = "";
  });
}

/** @param {boolean} forget @param {(reason: string) => void} leave */
async function signOut(forget, leave) {
  const failure = part(document, ".page-failure");
  failure.hidden = true;
  try {
    await post("logout", { forget });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Who is signed out already is where they wanted to be.
    if (error.status !== 401) {
      failure.textContent = error.message;
      failure.hidden = false;
      return;
    }
  }
  leave("signed_out");
}
