// @ts-check
/**
 * Order and difference of decimal strings without turning them into floating point.
 */

/**
 * Compare two numbers in plain decimal notation.
 *
 * @param {string} a
 * @param {string} b
 * @returns {number} below zero, zero or above zero, as a sort's comparison wants it
 */
export function compareDecimals(a, b) {
  const [x, y] = [parse(a), parse(b)];
  if (x.sign !== y.sign) return x.sign - y.sign;
  return x.sign * compareMagnitudes(x, y);
}

/**
 * What is left of one number when another is taken off, exactly.
 *
 * The server sends every figure; this is for what only the page puts side by side.
 *
 * @param {string} a in plain decimal notation, as the result is
 * @param {string} b
 */
export function subtract(a, b) {
  const places = Math.max(placesOf(a), placesOf(b));
  return textOf(unitsOf(a, places) - unitsOf(b, places), places);
}

/**
 * The exact sum of numbers in plain decimal notation.
 *
 * @param {readonly (string | null)[]} numbers
 * @returns {string | null} null if one is unknown
 */
export function sumOf(numbers) {
  const known = numbers.filter((number) => number !== null);
  if (known.length < numbers.length) return null;
  const places = Math.max(0, ...known.map(placesOf));
  return textOf(known.reduce((sum, number) => sum + unitsOf(number, places), 0n), places);
}

/** @param {bigint} units @param {number} places */
function textOf(units, places) {
  const digits = String(units < 0n ? -units : units).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${whole}${fraction && `.${fraction}`}`;
}

/** @param {string} text */
function placesOf(text) {
  return text.split(".")[1]?.length ?? 0;
}

/** @param {string} text @param {number} places */
function unitsOf(text, places) {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(places, "0"));
}

/** @typedef {{sign: -1 | 0 | 1, whole: string, fraction: string}} Parsed */

/** @param {string} text @returns {Parsed} */
function parse(text) {
  const isNegative = text.startsWith("-");
  const [whole, fraction = ""] = (isNegative ? text.slice(1) : text).split(".");
  const parsed = { whole: whole.replace(/^0+/, ""), fraction: fraction.replace(/0+$/, "") };
  if (!parsed.whole && !parsed.fraction) return { ...parsed, sign: 0 };
  return { ...parsed, sign: isNegative ? -1 : 1 };
}

/** @param {Parsed} x @param {Parsed} y */
function compareMagnitudes(x, y) {
  if (x.whole.length !== y.whole.length) return x.whole.length - y.whole.length;
  return compareText(x.whole, y.whole) || compareText(x.fraction, y.fraction);
}

/**
 * Order by code unit; among digits of one length, and among fractions, that is order by value.
 *
 * @param {string} a
 * @param {string} b
 */
export function compareText(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
