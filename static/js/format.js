// @ts-check
/**
 * Figures, times and ages as text. A figure stays the decimal string that the server sent:
 * `Intl.NumberFormat` rounds such a string exactly, whatever its length.
 *
 * Digits are written as the locale groups and parts them. Signs, arrows, `$` and `¢` are ours, at
 * the same place in every language, so that a column of figures reads as one.
 */

import { DIGITS, MINUS, digitsFormat, sign } from "./digits.js";
import { localized } from "./locale.js";

export const UNKNOWN = "—";
const MASK = "•••";

/** @typedef {import("./digits.js").Format} Format */

const cents = digitsFormat({ minimumFractionDigits: 2, maximumFractionDigits: 2 });

/**
 * Money: `$1,234.56`, and `$0.003` for what is less than half a cent.
 *
 * @type {Format}
 */
export function dollars(text) {
  return `${sign(text)}$${cents(text)}`;
}

/**
 * Profit or loss: `▲ +$3.60`, `▼ −$3.60`, `$0.00`.
 *
 * @type {Format}
 */
export function profit(text) {
  const amount = `${sign(text, "+")}$${cents(text)}`;
  return { gain: `▲ ${amount}`, loss: `▼ ${amount}`, flat: amount }[signOf(amount)];
}

// A price in dollars read as a share of one dollar is the same digits as that price in cents.
const quoteDigits = digitsFormat({ style: "percent", maximumFractionDigits: 4 });
const quotientDigits = digitsFormat({ style: "percent", maximumFractionDigits: 2 });

/**
 * A quoted price in cents with all of its decimals: `57¢`, `4.5¢`, `0.01¢`.
 *
 * @type {Format}
 */
export function quote(text) {
  return `${sign(text)}${quoteDigits(text)}¢`;
}

/**
 * A price that is a quotient, in cents and rounded: `54.33¢`.
 *
 * @type {Format}
 */
export function quotient(text) {
  return `${sign(text)}${quotientDigits(text)}¢`;
}

// One digit of a small percentage says as much as a tenth does of others.
const tenths = digitsFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1 }, 1);

/**
 * A percentage, of which the server sends the hundredths as units: `+5.6 %` for `"5.6"`.
 *
 * @type {Format}
 */
export function percentage(text) {
  return `${sign(text, "+")}${tenths(text)}\u00a0%`;
}

/** Contracts without their sign, which the side's name says in words: `1,200`, `0.5`. */
export const contracts = digitsFormat({ maximumFractionDigits: 2 });

const count = digitsFormat({ maximumFractionDigits: 0 });

/**
 * Which way a formatted figure points. Read off the text, so that a sign, an arrow and a colour
 * can't contradict each other.
 *
 * @param {string} text
 * @returns {"gain" | "loss" | "flat"}
 */
export function signOf(text) {
  if (text.includes("+")) return "gain";
  return text.includes(MINUS) ? "loss" : "flat";
}

// Twenty-four hours in every language: no half of the day to overlook, and always as wide.
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  numberingSystem: "latn",
};
/** @type {Intl.DateTimeFormatOptions} */
const DAY = { day: "numeric", month: "short", year: "numeric", numberingSystem: "latn" };

const clock = localized((locale) => new Intl.DateTimeFormat(locale, CLOCK));
const day = localized((locale) => new Intl.DateTimeFormat(locale, DAY));
const dayAndClock = localized(
  (locale) => new Intl.DateTimeFormat(locale, { ...DAY, ...CLOCK, timeZoneName: "short" }),
);

/**
 * An instant with its day, in the browser's time zone, which it names: `Nov 24, 2026, 12:03:22 UTC`.
 *
 * @param {string} instant RFC 3339
 */
export function dateTime(instant) {
  return dayAndClock().format(new Date(instant));
}

/**
 * The day of an instant, in the browser's time zone: `Nov 24, 2026`.
 *
 * @param {string} instant RFC 3339
 */
export function date(instant) {
  return day().format(new Date(instant));
}

/**
 * An instant as briefly as it is clear: `12:03:22` on the day of `now`, else with its day and zone.
 *
 * @param {string} instant RFC 3339
 * @param {number} now milliseconds since 1970
 */
export function moment(instant, now) {
  const at = new Date(instant);
  const isToday = at.toDateString() === new Date(now).toDateString();
  return isToday ? clock().format(at) : dateTime(instant);
}

/**
 * How long ago, in its largest whole unit: `1 s`, `5 min`, `3 h`, `2 d`. Never negative: clocks
 * that differ a little must not show times to come.
 *
 * @param {string} instant RFC 3339
 * @param {number} now milliseconds since 1970
 */
export function age(instant, now) {
  const seconds = Math.max(0, Math.floor((now - Date.parse(instant)) / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}\u00a0h`;
  return `${Math.floor(seconds / 86400)}\u00a0d`;
}

/**
 * The contract's fields, by how they are written. `isPrivate` marks what privacy mode hides.
 *
 * @type {Record<string, {format: Format, isPrivate: boolean}>}
 */
const FIELDS = {
  ...named({ format: dollars, isPrivate: true }, [
    "total_value",
    "cash",
    "positions_value",
    "collateral_returned",
    "exposure",
    "fees_paid",
    "estimated_value",
    "exchange_portfolio_value",
    "market_value",
    "payout",
  ]),
  ...named({ format: profit, isPrivate: true }, [
    "unrealized_pnl",
    "realized_pnl",
    "net_pnl",
    "day_pnl",
  ]),
  ...named({ format: quote, isPrivate: true }, ["yes_bid", "yes_ask", "last_price", "mark"]),
  ...named({ format: quotient, isPrivate: true }, ["average_price", "break_even_price"]),
  ...named({ format: percentage, isPrivate: false }, ["unrealized_pnl_percent"]),
  ...named({ format: contracts, isPrivate: true }, ["quantity", "yes_bid_size", "yes_ask_size"]),
  // Of fills, of an order book, of what is left if it settles.
  ...named({ format: contracts, isPrivate: true }, ["count", "left", "bid_size", "ask_size"]),
  ...named({ format: dollars, isPrivate: true }, ["fee", "cash_flow"]),
  ...named({ format: quote, isPrivate: true }, ["worst_price", "price", "bid", "ask", "spread"]),
  ...named({ format: count, isPrivate: true }, [
    "position_count",
    "unpriced_count",
    "unreadable_count",
    "estimated_count",
  ]),
  ...named({ format: dateTime, isPrivate: false }, [
    "priced_at",
    "close_time",
    "expected_expiration_time",
    "updated_at",
    "cash_as_of",
    "day_pnl_since",
    "reconciled_at",
  ]),
};

/**
 * @template T
 * @param {T} value
 * @param {string[]} names
 * @returns {Record<string, T>}
 */
function named(value, names) {
  return Object.fromEntries(names.map((name) => [name, value]));
}

/**
 * The text of one figure under its name in the contract.
 *
 * @param {string} field
 * @param {string | number | null} value null when unknown, which is never written as zero
 * @param {boolean} [isMasked] privacy mode: digits give way to a mask of fixed length
 */
export function figure(field, value, isMasked = false) {
  if (value === null) return UNKNOWN;
  const { format, isPrivate } = FIELDS[field];
  const text = format(String(value));
  // One mask for any number of digits, or their number would tell the size.
  return isMasked && isPrivate ? text.replace(DIGITS, MASK) : text;
}

/**
 * How many rows of the exchange can't be read at all; empty when all can be.
 *
 * @param {number | null | undefined} count
 * @param {boolean} [isMasked]
 */
export function unreadableCount(count, isMasked = false) {
  return count ? `${figure("unreadable_count", count, isMasked)} can't be read` : "";
}
