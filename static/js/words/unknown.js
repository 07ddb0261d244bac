// @ts-check
/**
 * Why a figure is a dash.
 *
 * Each field of a position, of a portfolio and of an event's head has its reason, in one sentence, as
 * far as the record itself tells. A reason that can't be known is not made up: then the sentence says what is missing.
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
 * @param {object} record a Position, a Portfolio or the Head of an event; an empty one while none is
 *   there
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
  if ("open" in record) {
    return whyHeadUnknown(field, /** @type {import("../list/items.js").Head} */ (record), context);
  }
  return "The figures are still on their way.";
}

/**
 * Of a sum it is enough to say that a part is missing: that part's own dash says why.
 *
 * @param {string} field
 * @param {import("../list/items.js").Head} head
 * @param {Context} context
 */
function whyHeadUnknown(field, { open }, { isReading }) {
  if (open.some(({ mark }) => mark === null)) return "One of its positions has no price.";
  if (field !== "day_pnl") return "Of one of its positions it is unknown.";
  return isReading
    ? "Your history is still being read; until then it is not known where each position stood as the day began."
    : "Of one of its positions it is not known where it stood as the day began.";
}
