// @ts-check
/**
 * Why a figure is a dash.
 *
 * Each field of a position and of a portfolio has its reason, in one sentence, as far as the record
 * itself tells. A reason that can't be known is not made up: then the sentence says what is missing.
 */

import { whyPortfolioUnknown } from "./unknown_portfolio.js";
import { whyPositionUnknown } from "./unknown_position.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../types.js").Portfolio} Portfolio */

/**
 * What the page knows beside the record; all of it may be left out.
 *
 * @typedef {object} Context
 * @property {boolean} [isReading] whether the account's history is still being read
 * @property {Portfolio | null} [portfolio] of a position's account
 */

/**
 * @param {string} field its name in the contract
 * @param {object} record a Position or a Portfolio; an empty one while neither is there
 * @param {Context} [context]
 * @returns {string} one sentence; empty where null is an answer, not a lack of one
 */
export function whyUnknown(field, record, context = {}) {
  if ("ticker" in record) {
    return whyPositionUnknown(field, /** @type {Position} */ (record), context);
  }
  if ("cash_provisional" in record) {
    return whyPortfolioUnknown(field, /** @type {Portfolio} */ (record), context);
  }
  return "The figures are still on their way.";
}
