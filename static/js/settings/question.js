// @ts-check
/**
 * The dialog that asks before something is deleted.
 */

import { part } from "../elements/template.js";

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text what will happen
 * @property {string} yes the button that does it
 */

/**
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes }) {
  /** @type {HTMLDialogElement} */
  const dialog = part(document, "#question");
  part(dialog, "h2").textContent = title;
  part(dialog, "#question-text").textContent = text;
  part(dialog, "[value=yes]").textContent = yes;
  // Escape leaves the value of the last time.
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "yes");
    dialog.addEventListener("close", answer, { once: true });
  });
}
