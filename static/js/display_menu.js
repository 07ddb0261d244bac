// @ts-check
/**
 * The choices of the menu "Display", and privacy.
 */

import { part } from "./elements/template.js";
import { applyPreferences } from "./preferences.js";

/**
 * @param {import("./preferences.js").Preferences} preferences changed in place
 * @param {() => void} redraw figures are to be written in another way
 */
export function bindDisplay(preferences, redraw) {
  for (const name of /** @type {const} */ (["theme", "palette"])) {
    /** @type {HTMLSelectElement} */
    const select = part(document, `#${name}`);
    select.value = preferences[name];
    select.addEventListener("change", () => {
      Object.assign(preferences, { [name]: select.value });
      applyPreferences(preferences);
    });
  }
  part(document, ".bar-privacy").addEventListener("click", () => {
    preferences.privacy = !preferences.privacy;
    redraw();
  });
}
