// @ts-check
/**
 * How a key is made, told for the environment that is chosen; open for who has never been in.
 */

import { part } from "./elements/template.js";

const KEY = "has-been-in";

/** @param {HTMLElement} form with the guide and the choice of the environment */
export function bindKeyGuide(form) {
  /** @type {HTMLSelectElement} */
  const environment = part(form, "#environment");
  const parts = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-guide]"));
  const show = () => {
    for (const each of parts) {
      each.hidden = !each.dataset.guide?.split(" ").includes(environment.value);
    }
  };
  environment.addEventListener("change", show);
  // A browser may bring the choice back that was made before a reload.
  addEventListener("pageshow", show);
  form.addEventListener("reset", () => queueMicrotask(show));
  show();
}

/** @param {HTMLElement} form */
export function openKeyGuideForNewcomers(form) {
  /** @type {HTMLDetailsElement} */
  const guide = part(form, ".key-guide");
  guide.open = !hasBeenIn();
}

function hasBeenIn() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    // Without storage nobody knows; who has been here can close it.
    return false;
  }
}

/** Somebody is let in. Nothing is kept but that. */
export function rememberVisit() {
  try {
    localStorage.setItem(KEY, "1");
  } catch {
    // The guide is open once more.
  }
}
