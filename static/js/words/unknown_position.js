// @ts-check
/**
 * Why a figure of a position is a dash.
 */

import { stageOf } from "./stage.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("./unknown.js").Context} Context */
/** @typedef {(position: Position, context: Context) => string} Why */

const UNSAID = "The exchange does not say it.";
const UNDESCRIBED = "The exchange has not described this market yet.";
/** Of what the server always sends. */
const NOT_SENT = "The server has not sent it.";

/** @type {Readonly<Record<string, string | Why>>} */
const REASONS = Object.freeze({
  account_id: NOT_SENT,
  ticker: NOT_SENT,
  side: NOT_SENT,
  quantity: NOT_SENT,
  version: NOT_SENT,
  updated_at: NOT_SENT,
  exposure: "What these contracts cost the exchange has not told.",
  realized_pnl: "What was realized in this market the exchange has not told.",
  fees_paid: "The fees in this market the exchange has not told.",
  payout: NOT_SENT,
  event_ticker: UNDESCRIBED,
  series_ticker: UNDESCRIBED,
  title: UNDESCRIBED,
  url: UNDESCRIBED,
  market_status: "How the market stands the exchange has not told.",
  outcome: "The exchange has no name for this outcome.",
  yes_outcome: "The exchange has no name for this outcome.",
  close_time: "The exchange does not say when trading ends.",
  expected_expiration_time: "The exchange does not say when it expects the outcome.",
  priced_at: "The exchange has not said when this quote last changed.",
  average_price: "No contracts are held that could have an average price.",
  break_even_price: "No contracts are held that could break even.",
  yes_bid: (position) => noQuote(position, "Nobody bids for YES at the moment."),
  yes_bid_size: (position) => noQuote(position, "Nobody bids for YES at the moment."),
  yes_ask: (position) => noQuote(position, "Nobody offers YES at the moment."),
  yes_ask_size: (position) => noQuote(position, "Nobody offers YES at the moment."),
  last_price: (position) =>
    position.unreadable ? unreadable(position) : "There was no trade in this market yet.",
  mark: noMark,
  mark_source: noMark,
  market_value: noMark,
  unrealized_pnl: noMark,
  net_pnl: noMark,
  unrealized_pnl_percent: (position) =>
    position.mark === null ? noMark(position) : "It cost nothing that a gain could be a share of.",
  day_pnl: noDay,
  settlement_value: (position) =>
    stageOf(position.market_status).note
      ? "What a contract pays the exchange has not told yet."
      : "The market is not decided yet.",
  // Null says that all could be read.
  unreadable: "",
});

/**
 * @param {string} field
 * @param {Position} position
 * @param {Context} context
 */
export function whyPositionUnknown(field, position, context) {
  const reason = REASONS[field] ?? UNSAID;
  return typeof reason === "string" ? reason : reason(position, context);
}

/** @param {Position} position */
function unreadable({ unreadable: row }) {
  const what = row === "market" ? "for this market" : "for this position";
  return `The exchange's row ${what} can't be read.`;
}

/** @param {Position} position @param {string} inTrade the reason while the market trades */
function noQuote(position, inTrade) {
  if (position.unreadable) return unreadable(position);
  const status = position.market_status;
  return status === "active" ? inTrade : (NOT_TRADING[status ?? ""] ?? "No quote is known.");
}

/** @type {Readonly<Record<string, string>>} */
const NOT_TRADING = Object.freeze({
  initialized: "Trading has not begun, so there are no quotes.",
  inactive: "Trading is paused, so there are no quotes.",
  closed: "Trading has ended, so there are no quotes.",
  determined: "The market is decided, so there are no quotes.",
  disputed: "The market is decided, so there are no quotes.",
  amended: "The market is decided, so there are no quotes.",
  finalized: "The market is decided, so there are no quotes.",
});

/** @param {Position} position */
function noMark(position) {
  if (position.unreadable) return `${unreadable(position)} Its value is unknown.`;
  const { market_status: status, side } = position;
  if (status === "active") {
    return `There is no price: nobody bids for ${side === "no" ? "NO" : "YES"}, and there was no trade yet.`;
  }
  if (stageOf(status).note) {
    return "There is no price: the market is decided, but what a contract pays is not told yet.";
  }
  return NOT_TRADING[status ?? ""]
    ? "There is no price: the market is not trading, and there was no trade before."
    : "There is no price: neither a quote nor a trade is known.";
}

/** @param {Position} position @param {Context} context */
function noDay(position, { portfolio, isReading }) {
  if (position.net_pnl === null) return noMark(position);
  if (isReading) {
    return "Your history is still being read; until then it is not known where this market stood as the day began.";
  }
  if (portfolio && portfolio.day_pnl_since === null) {
    return "The day has no beginning to count from yet.";
  }
  return "Where this market stood as the day began is not known.";
}
