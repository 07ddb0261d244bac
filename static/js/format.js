// @ts-check
/**
 * Figures, times and ages as text. A figure stays the decimal string that the server sent:
 * `Intl.NumberFormat` rounds such a string exactly, whatever its length.
 */

/** @typedef {import("./types.js").Position} Position */

export const UNKNOWN = "—";
const MINUS = "\u2212";
const MASK = "•••";

/** @typedef {(text: string) => string} Format */

/**
 * @param {Intl.NumberFormatOptions} options
 * @returns {Format}
 */
function decimalFormat(options) {
  // "negative" writes no sign before a zero, not even a rounded one.
  const format = new Intl.NumberFormat("en-US", { signDisplay: "negative", ...options });
  return (text) =>
    format.format(/** @type {Intl.StringNumericLiteral} */ (text)).replace("-", MINUS);
}

/** Money: `$1,234.56`. */
export const dollars = decimalFormat({ style: "currency", currency: "USD" });

const signed = decimalFormat({ style: "currency", currency: "USD", signDisplay: "exceptZero" });

/**
 * Profit or loss: `▲ +$3.60`, `▼ −$3.60`, `$0.00`.
 *
 * @type {Format}
 */
export function profit(text) {
  const amount = signed(text);
  return { gain: `▲ ${amount}`, loss: `▼ ${amount}`, flat: amount }[signOf(amount)];
}

// A price in dollars read as a share of one dollar is the same digits as that price in cents.
const quoteShare = decimalFormat({ style: "percent", maximumFractionDigits: 4 });
const quotientShare = decimalFormat({ style: "percent", maximumFractionDigits: 2 });

/**
 * A quoted price in cents with all of its decimals: `57¢`, `4.5¢`, `0.01¢`.
 *
 * @type {Format}
 */
export function quote(text) {
  return quoteShare(text).replace("%", "¢");
}

/**
 * A price that is a quotient, in cents and rounded: `54.33¢`.
 *
 * @type {Format}
 */
export function quotient(text) {
  return quotientShare(text).replace("%", "¢");
}

const signedTenths = decimalFormat({
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  signDisplay: "exceptZero",
});

/**
 * A percentage, of which the server sends the hundredths as units: `+5.6 %` for `"5.6"`.
 *
 * @type {Format}
 */
export function percentage(text) {
  return `${signedTenths(text)}\u00a0%`;
}

/** Contracts without their sign, which the side's name says in words: `1,200`, `0.5`. */
export const contracts = decimalFormat({ maximumFractionDigits: 2, signDisplay: "never" });

const count = decimalFormat({ maximumFractionDigits: 0 });

/**
 * Which way a formatted figure points. Read off the text, so that a sign, an arrow and a colour
 * can't contradict each other when a small figure is rounded to zero.
 *
 * @param {string} text
 * @returns {"gain" | "loss" | "flat"}
 */
export function signOf(text) {
  if (text.includes("+")) return "gain";
  return text.includes(MINUS) ? "loss" : "flat";
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", hourCycle: "h23" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/**
 * An instant with its day, in the browser's time zone: `24 Nov 2026, 12:03:22`.
 *
 * @param {string} instant RFC 3339
 */
export function dateTime(instant) {
  return dayAndClock.format(new Date(instant));
}

/**
 * An instant as briefly as it is clear: `12:03:22` on the day of `now`, else with its day.
 *
 * @param {string} instant RFC 3339
 * @param {number} now milliseconds since 1970
 */
export function moment(instant, now) {
  const date = new Date(instant);
  const isToday = date.toDateString() === new Date(now).toDateString();
  return (isToday ? clock : dayAndClock).format(date);
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
  ...named({ format: contracts, isPrivate: true }, ["quantity"]),
  ...named({ format: count, isPrivate: true }, [
    "position_count",
    "unpriced_count",
    "unreadable_count",
    "estimated_count",
  ]),
  ...named({ format: dateTime, isPrivate: false }, [
    "priced_at",
    "close_time",
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
  return isMasked && isPrivate ? text.replace(/\d[\d.,]*/g, MASK) : text;
}

/**
 * What must be said beside a mark that isn't what `MARK_PRICE` asks for; empty when it is.
 *
 * @param {Pick<Position, "mark" | "mark_source" | "market_status" | "unreadable">} position
 * @param {string} markPrice the server's `MARK_PRICE`: bid, mid or last
 */
export function markNote(position, markPrice) {
  const { mark, mark_source: source, market_status: status, unreadable } = position;
  if (unreadable) return "can't be read";
  if (mark === null) return "no price";
  if (source === "settlement") return "settled";
  if (source === markPrice) return "";
  if (source === "last" && status !== "active") return "not trading · last";
  if (source === "last") return "no bid · last";
  if (markPrice === "mid") return "no ask · bid";
  return `never traded · ${source}`;
}

/**
 * What it means that a row of the exchange can't be read; empty when all can be.
 *
 * @param {Position["unreadable"]} unreadable
 */
export function unreadableNote(unreadable) {
  if (!unreadable) return "";
  if (unreadable === "market") {
    return "The exchange's row for this market can't be read. The position's value is unknown.";
  }
  return (
    "The exchange's row for this position can't be read. Quantity and cost are the last known; " +
    "its value is unknown."
  );
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
