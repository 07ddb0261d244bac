// @ts-check
/**
 * The digits of decimal strings as a locale writes them, without ever hiding that there is something.
 */

import { localized } from "./locale.js";

export const MINUS = "\u2212";

/** From the first digit of a figure to its last, whatever parts them. */
export const DIGITS = /\d(?:.*\d)?/;

/** @typedef {(text: string) => string} Format */

/**
 * A number without its sign. One that the options would round to zero though it isn't is written
 * with its first significant digits.
 *
 * @param {Intl.NumberFormatOptions} options
 * @param {number} [significant] how many of them
 * @returns {Format}
 */
export function digitsFormat(options, significant = 2) {
  const rounded = numberFormat(options);
  const small = numberFormat({ style: options.style, maximumSignificantDigits: significant });
  return (text) => {
    const number = /** @type {Intl.StringNumericLiteral} */ (text);
    const digits = rounded().format(number);
    return bare(isSome(text) && !isSome(digits) ? small().format(number) : digits);
  };
}

/**
 * The sign of a number; a zero has none.
 *
 * @param {string} text
 * @param {string} [plus] of what is above zero
 */
export function sign(text, plus = "") {
  if (!isSome(text)) return "";
  return text.startsWith("-") ? MINUS : plus;
}

/** @param {Intl.NumberFormatOptions} options */
function numberFormat(options) {
  return localized(
    (locale) =>
      // Western digits: of one width in every font, and those that privacy mode hides.
      new Intl.NumberFormat(locale, { ...options, signDisplay: "never", numberingSystem: "latn" }),
  );
}

/** Whether a number, as the server or as we wrote it, is other than zero. @param {string} text */
function isSome(text) {
  return /[1-9]/.test(text);
}

/** @param {string} text */
function bare(text) {
  return DIGITS.exec(text)?.[0] ?? text;
}
