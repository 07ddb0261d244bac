// @ts-check
/**
 * What a person has chosen about the look of the page, kept in this browser only.
 */

const KEY = "preferences";

/**
 * @typedef {object} Preferences
 * @property {"system" | "light" | "dark"} theme
 * @property {"standard" | "colour-blind"} palette
 * @property {boolean} privacy
 * @property {string} order
 * @property {string} account the id of the one that is looked at, or `all`; empty for the default
 * @property {string[]} knowWaysIn ids of the users who have been told that without a way in the key
 *   is needed again
 */

/** @type {Preferences} */
const DEFAULTS = {
  theme: "system",
  palette: "standard",
  privacy: false,
  order: "value",
  account: "",
  knowWaysIn: [],
};

/** @returns {Preferences} */
export function loadPreferences() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/**
 * Save, and give the document the attributes that its style sheet goes by.
 *
 * @param {Preferences} preferences
 */
export function applyPreferences(preferences) {
  const { theme, palette, privacy } = preferences;
  Object.assign(document.documentElement.dataset, { theme, palette, privacy: String(privacy) });
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
