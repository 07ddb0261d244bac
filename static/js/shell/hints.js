// @ts-check
/**
 * Hints that a person can send away for good.
 */

import { part } from "../elements/template.js";
import { applyPreferences } from "../preferences.js";

/** @param {import("../preferences.js").Preferences} preferences changed in place */
export function bindHints(preferences) {
  const hint = document.querySelector(".ways-in-hint");
  if (!(hint instanceof HTMLElement)) return;
  const user = hint.dataset.user ?? "";
  if (preferences.knowWaysIn.includes(user)) return;
  hint.hidden = false;
  part(hint, "button").addEventListener("click", () => {
    hint.hidden = true;
    preferences.knowWaysIn = [...preferences.knowWaysIn, user];
    applyPreferences(preferences);
  });
}
