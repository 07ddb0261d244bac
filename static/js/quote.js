// @ts-check
/**
 * A market's quote as the holder of one side sees it, exact.
 *
 * The market is quoted in YES. Who holds NO sells it to those who offer YES: the bid for NO is what
 * is left of the dollar.
 */

import { subtract } from "./decimal.js";

/**
 * @typedef {object} Quote
 * @property {string | null} bid
 * @property {string | null} bid_size
 * @property {string | null} ask
 * @property {string | null} ask_size
 * @property {string | null} spread null unless both sides are quoted
 */

/** @typedef {Pick<import("./types.js").Position, "side" | "yes_bid" | "yes_ask" | "yes_bid_size" | "yes_ask_size">} Quoted */

/** @param {Quoted} position @returns {Quote} of YES */
export function yesQuote({ yes_bid, yes_ask, yes_bid_size, yes_ask_size }) {
  return quote(yes_bid, yes_bid_size ?? null, yes_ask, yes_ask_size ?? null);
}

/** @param {Quoted} position @returns {Quote} of the side that is held */
export function heldQuote(position) {
  const yes = yesQuote(position);
  if (position.side === "yes") return yes;
  const [bid, ask] = [yes.ask && rest(yes.ask), yes.bid && rest(yes.bid)];
  return quote(bid, yes.ask_size, ask, yes.bid_size);
}

/**
 * What is left of the dollar.
 *
 * @param {string} price
 */
export function rest(price) {
  return subtract("1", price);
}

/**
 * @param {string | null} bid
 * @param {string | null} bid_size
 * @param {string | null} ask
 * @param {string | null} ask_size
 * @returns {Quote}
 */
function quote(bid, bid_size, ask, ask_size) {
  const spread = bid !== null && ask !== null ? subtract(ask, bid) : null;
  return { bid, bid_size, ask, ask_size, spread };
}
