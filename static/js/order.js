// @ts-check
/**
 * The orders in which positions can be listed.
 */

import { compareDecimals, compareText } from "./decimal.js";

/** @typedef {import("./types.js").Position} Position */
/** @typedef {"value" | "pnl" | "day" | "name" | "closing"} Order */

/** @type {Record<Order, (a: Position, b: Position) => number>} */
const COMPARISONS = {
  value: (a, b) => unknownLast(a.market_value, b.market_value, descending),
  pnl: (a, b) => unknownLast(a.unrealized_pnl, b.unrealized_pnl, descending),
  day: (a, b) => unknownLast(a.day_pnl, b.day_pnl, descending),
  name: (a, b) => (a.title ?? a.ticker).localeCompare(b.title ?? b.ticker, "en"),
  // Instants in UTC of one shape: their order as text is their order in time.
  closing: (a, b) => unknownLast(a.close_time, b.close_time, compareText),
};

/**
 * @param {unknown} name
 * @returns {name is Order}
 */
export function isOrder(name) {
  return typeof name === "string" && Object.hasOwn(COMPARISONS, name);
}

/**
 * The positions in an order; what it can't tell apart is ordered by ticker and account, so that
 * nothing jumps.
 *
 * @param {Iterable<Position>} positions
 * @param {Order} order
 * @returns {Position[]} a new array
 */
export function inOrder(positions, order) {
  const compare = COMPARISONS[order];
  return [...positions].sort(
    (a, b) =>
      compare(a, b) || compareText(a.ticker, b.ticker) || a.account_id - b.account_id,
  );
}

/** @param {string} a @param {string} b */
function descending(a, b) {
  return compareDecimals(b, a);
}

/**
 * @param {string | null} a
 * @param {string | null} b
 * @param {(a: string, b: string) => number} compare
 */
function unknownLast(a, b, compare) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compare(a, b);
}
