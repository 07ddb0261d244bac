// @ts-check
/**
 * What a person has chosen about the look of the page, kept in this browser only.
 */

import { LIST_DEFAULTS } from "./list/choices.js";

const KEY = "preferences";

/**
 * @typedef {Look & import("./list/choices.js").ListPreferences} Preferences
 *
 * @typedef {object} Look
 * @property {"system" | "light" | "dark"} theme
 * @property {"standard" | "colour-blind"} palette
 * @property {boolean} privacy
 * @property {string} account the id of the one that is looked at, or `all`; empty for the default
 * @property {string[]} knowWaysIn ids of the users who have been told that without a way in the key
 *   is needed again
 * @property {string} locale how figures and dates are written: `system`, or a BCP 47 tag
 * @property {boolean} titleShowsDay whether the window's title says today's P&L
 * @property {boolean} speaksSums whether the P&L is said aloud now and then
 */

/** @type {Preferences} */
const DEFAULTS = {
  theme: "system",
  palette: "standard",
  privacy: false,
  account: "",
  knowWaysIn: [],
  locale: "system",
  titleShowsDay: true,
  speaksSums: false,
  ...LIST_DEFAULTS,
};

/** What this page last knew to be stored; whatever differs from it was chosen here. */
let known = { ...DEFAULTS };

/** @returns {Preferences} */
export function loadPreferences() {
  known = stored();
  return { ...known };
}

/**
 * Save what has been chosen, and give the document the attributes that its style sheet goes by.
 *
 * Another tab may have chosen otherwise in other fields: they are left as they are stored.
 *
 * @param {Preferences} preferences
 */
export function applyPreferences(preferences) {
  showPreferences(preferences);
  const chosen = Object.entries(preferences).filter(
    ([name, value]) => !isSame(value, known[/** @type {keyof Preferences} */ (name)]),
  );
  if (chosen.length === 0) return;
  known = { ...stored(), ...Object.fromEntries(chosen) };
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/**
 * Take over what is chosen in other tabs.
 *
 * @param {Preferences} preferences changed in place, before anybody is told
 * @param {(preferences: Preferences) => void} changed
 */
export function followPreferences(preferences, changed) {
  addEventListener("storage", ({ key }) => {
    // All of the storage is cleared without a key.
    if (key !== KEY && key !== null) return;
    known = stored();
    Object.assign(preferences, known);
    showPreferences(preferences);
    changed(preferences);
  });
}

/** @param {Preferences} preferences */
function showPreferences({ theme, palette, privacy, locale }) {
  const { dataset } = document.documentElement;
  // Writing what is there already counts as a change, for which charts are drawn anew.
  for (const [name, value] of Object.entries({ theme, palette, privacy: String(privacy), locale })) {
    if (dataset[name] !== value) dataset[name] = value;
  }
}

/** @returns {Preferences} */
function stored() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {unknown} one @param {unknown} other */
function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
