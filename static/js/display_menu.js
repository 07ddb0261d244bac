// @ts-check
/**
 * The choices of the menu "Display", and privacy.
 */

import { part } from "./elements/template.js";
import { followPreferences } from "./preferences.js";

/**
 * @param {import("./preferences.js").Preferences} preferences changed in place
 * @param {() => void} redraw figures may be to be written in another way
 * @param {() => void} followed another tab has chosen something, of which `preferences` tells
 */
export function bindDisplay(preferences, redraw, followed) {
  const selects = /** @type {const} */ (["theme", "palette", "locale"]).map(
    (name) =>
      /** @type {const} */ ([name, /** @type {HTMLSelectElement} */ (part(document, `#${name}`))]),
  );
  for (const [name, select] of selects) {
    select.value = preferences[name];
    select.addEventListener("change", () => {
      Object.assign(preferences, { [name]: select.value });
      redraw();
    });
  }
  const ticks = /** @type {const} */ (["titleShowsDay", "speaksSums"]).map(
    (name) =>
      /** @type {const} */ ([name, /** @type {HTMLInputElement} */ (part(document, `[name=${name}]`))]),
  );
  for (const [name, tick] of ticks) {
    tick.checked = preferences[name];
    tick.addEventListener("change", () => {
      preferences[name] = tick.checked;
      redraw();
    });
  }
  part(document, ".bar-privacy").addEventListener("click", () => {
    preferences.privacy = !preferences.privacy;
    redraw();
  });
  followPreferences(preferences, () => {
    for (const [name, select] of selects) select.value = preferences[name];
    for (const [name, tick] of ticks) tick.checked = preferences[name];
    followed();
    redraw();
  });
}
