// @ts-check
/**
 * Order of decimal strings without turning them into floating point.
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
