// @ts-check
/**
 * Our value of the positions beside the exchange's own, and why they differ.
 *
 * How the exchange values positions is not published. So what the digits prove is said as it is,
 * and of the rest only what is known of ours.
 */

import { compareDecimals, subtract } from "../decimal.js";
import { figureText } from "../figures.js";
import { dateTime } from "../format.js";

/** @typedef {import("../types.js").Portfolio} Portfolio */

const CENT = "0.01";

/** What `MARK_PRICE` takes, in words. @type {Readonly<Record<string, string>>} */
const OUR_PRICES = Object.freeze({
  bid: "what could be had for them now, the best bid",
  mid: "the middle between bid and ask",
  last: "the last trade",
});

/**
 * Both, the difference, and the reason for it; empty when they are equal or one is unknown.
 *
 * @param {Portfolio} portfolio
 * @param {string} markPrice the server's `MARK_PRICE`
 */
export function exchangeComparison(portfolio, markPrice) {
  const { positions_value: ours, exchange_portfolio_value: theirs } = portfolio;
  if (ours === null || theirs === null) return "";
  const difference = subtract(ours, theirs);
  const order = compareDecimals(difference, "0");
  if (order === 0) return "";
  return [
    `Value of the positions: ours ${figureText("positions_value", ours)},`,
    `the exchange’s ${figureText("exchange_portfolio_value", theirs)},`,
    `so ours is ${figureText("positions_value", difference.replace("-", ""))}`,
    order > 0 ? "more." : "less.",
    reasonOf(portfolio, difference, markPrice),
  ].join(" ");
}

/** @param {Portfolio} portfolio @param {string} difference @param {string} markPrice */
function reasonOf(portfolio, difference, markPrice) {
  if (isUnderCent(difference)) return "The exchange tells its value in whole cents.";
  const { collateral_returned: collateral } = portfolio;
  if (collateral !== null && !isUnderCent(collateral)) {
    // To the cent, since theirs is in whole cents.
    if (isUnderCent(subtract(difference, collateral))) {
      return "That is the collateral that was paid back early: it is in your cash, and the exchange has taken it off here.";
    }
  }
  const { unpriced_count: unpriced, unreadable_count: unreadable, cash_as_of: asOf } = portfolio;
  const sentences = [
    unpriced > 0 && `${leftOut("unpriced_count", unpriced)} without a price.`,
    unreadable && `${leftOut("unreadable_count", unreadable)} that can’t be read.`,
    `Ours takes ${OUR_PRICES[markPrice] ?? OUR_PRICES.bid}, and follows every change.`,
    asOf && `The exchange’s is of ${dateTime(asOf)}.`,
    "At which prices it values it does not publish.",
  ];
  return sentences.filter(Boolean).join(" ");
}

/** @param {string} field @param {number} number */
function leftOut(field, number) {
  return `Ours leaves out ${figureText(field, number)} ${number === 1 ? "position" : "positions"}`;
}

/** @param {string} amount */
function isUnderCent(amount) {
  return compareDecimals(amount.replace("-", ""), CENT) < 0;
}
