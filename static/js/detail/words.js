// @ts-check
/**
 * What the parts of a position's detail say, in sentences.
 */

import { compareDecimals, subtract } from "../decimal.js";
import { figureText } from "../figures.js";
import { rest } from "../quote.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {"yes" | "no"} Side */

/**
 * What selling the whole position at once would fetch, as the server walked the book.
 *
 * @typedef {object} SellNow
 * @property {string} count
 * @property {string | null} average_price
 * @property {string | null} worst_price
 * @property {string | null} fee
 * @property {string | null} cash_flow
 * @property {string} left
 */

/**
 * @param {SellNow} sale
 * @param {Pick<Position, "exposure" | "quantity">} position
 */
export function saleText({ count, worst_price, fee, cash_flow, left }, { exposure, quantity }) {
  if (isZero(count)) return "Nobody bids for these contracts now.";
  if (cash_flow === null || fee === null) {
    return "What the exchange would take as its fee follows no published formula.";
  }
  const fetched = `would fetch ${money(cash_flow)} after ${money(fee)} of fees`;
  const down = `down to a bid of ${price(worst_price)}`;
  if (!isZero(left)) {
    const asked = `Of ${contracts(quantity)} contracts ${contracts(count)} are bid for, ${down}`;
    return `${asked}: selling those ${fetched}. Nobody bids for the other ${contracts(left)}.`;
  }
  const all = `Selling all ${contracts(count)} at once, ${down}, ${fetched}`;
  return exposure === null ? `${all}.` : `${all}: ${gainText(subtract(cash_flow, exposure))}.`;
}

/**
 * Whether a sale is of all that is held now: it may have been reckoned before something was traded.
 *
 * @param {{count: string, left: string} | undefined} sale
 * @param {Pick<Position, "quantity">} position
 */
export function isSaleOf(sale, { quantity }) {
  const held = quantity.replace("-", "");
  return sale !== undefined && isZero(subtract(subtract(held, sale.count), sale.left));
}

/** @param {string} amount of what was got over what it had cost */
function gainText(amount) {
  if (isZero(amount)) return "what the contracts cost";
  const size = money(amount.replace("-", ""));
  const word = amount.startsWith("-") ? "less" : "more";
  return `${size} ${word} than the contracts cost`;
}

/**
 * An execution as its owner did it. The exchange tells what was bought: YES sold at 55¢ is NO bought
 * at 45¢ that closed.
 *
 * @param {{side: Side, count: string, closed_count: string | null, price: string}} fill
 */
export function fillText({ side, count, closed_count, price: paid }) {
  const closed = closed_count ?? "0";
  const opened = subtract(count, closed);
  const other = side === "yes" ? "NO" : "YES";
  const sold = `${contracts(closed)} ${other} at ${price(rest(paid))}`;
  const bought = `${contracts(opened)} ${side.toUpperCase()} at ${price(paid)}`;
  if (isZero(closed)) return `Bought ${bought}`;
  return isZero(opened) ? `Sold ${sold}` : `Sold ${sold}, bought ${bought}`;
}

/**
 * How a trade ended.
 *
 * @param {{side: Side, closed_at: string | null, result: "yes" | "no" | "scalar" | null}} trade
 */
export function tradeEndText({ side, closed_at, result }) {
  if (closed_at === null) return "open";
  if (result === null) return "sold";
  if (result === "scalar") return "settled";
  return result === side ? "won" : "lost";
}

/**
 * A formula of the server's as people write them.
 *
 * @param {string} formula
 */
export function formulaText(formula) {
  return formula
    .replace(/abs\((\w+)\)/g, "|$1|")
    .replace(/round6\(/g, "rounded(")
    .replaceAll(" * ", " × ")
    .replaceAll(" - ", " − ")
    .replaceAll("_", " ")
    .replace(/\bpnl\b/g, "P&L");
}

/**
 * How an outcome of an event is called: as what YES of its market is about. That is what most
 * subtitles of NO name too.
 *
 * @param {string | null} outcome a market's ticker, which ends as YES, or `none_of_these`
 * @param {Pick<Position, "outcome"> & {yes_outcome?: string | null} | undefined} position what is held of it
 */
export function outcomeName(outcome, position) {
  if (outcome === null) return "";
  if (outcome === "none_of_these") return "None of these";
  return position?.yes_outcome || position?.outcome || outcome;
}

/** @param {string} number */
function isZero(number) {
  return compareDecimals(number, "0") === 0;
}

/** @param {string | null} value */
function money(value) {
  return figureText("cash_flow", value);
}

/** @param {string | null} value */
function price(value) {
  return figureText("price", value);
}

/** @param {string} value */
function contracts(value) {
  return figureText("count", value);
}
