// @ts-check
/**
 * How far back a chart reaches, and which reach was chosen in this browser.
 */

/** @typedef {"1D" | "1W" | "1M" | "All"} Range */

/** @type {readonly Range[]} */
export const RANGES = ["1D", "1W", "1M", "All"];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LENGTHS = { "1D": DAY_MS, "1W": 7 * DAY_MS, "1M": 30 * DAY_MS };
const KEY = "chart-ranges";

/**
 * @param {Range} range
 * @param {number} now milliseconds since 1970
 * @returns {number | null} where it begins; null for all there is
 */
export function beginningOf(range, now) {
  return range === "All" ? null : now - LENGTHS[range];
}

/** The same in words, for use in a sentence. @param {Range} range */
export function inWords(range) {
  return { "1D": "a day", "1W": "a week", "1M": "a month", All: "all there is" }[range];
}

/**
 * @param {string} chart which one
 * @param {Range} first until one is chosen
 * @returns {Range} the one that was chosen last
 */
export function chosenRange(chart, first) {
  const range = stored()[chart];
  return RANGES.find((known) => known === range) ?? first;
}

/** @param {string} chart @param {Range} range */
export function chooseRange(chart, range) {
  try {
    // Read anew: another tab may have chosen another chart's.
    localStorage.setItem(KEY, JSON.stringify({ ...stored(), [chart]: range }));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** @returns {Record<string, unknown>} */
function stored() {
  try {
    return Object(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return {};
  }
}
