// @ts-check
/**
 * Why a figure of a portfolio is a dash.
 */

/** @typedef {import("../types.js").Portfolio} Portfolio */
/** @typedef {import("./unknown.js").Context} Context */
/** @typedef {(portfolio: Portfolio, context: Context) => string} Why */

const UNSAID = "The server does not say it.";
const NO_CASH = "The exchange has not told the balance yet.";
/** Of the sums of positions, which are known from the first reconciliation on. */
const NOT_ADDED_UP = "The positions have not been added up yet.";

const NO_BASELINE =
  "The day has no beginning to count from yet: it is the first value of the account that is kept.";

/** @type {Readonly<Record<string, string | Why>>} */
const REASONS = Object.freeze({
  cash: NO_CASH,
  cash_as_of: NO_CASH,
  cash_provisional: "Whether the balance counts the newest trades is not said.",
  positions_value: NOT_ADDED_UP,
  exposure: NOT_ADDED_UP,
  unrealized_pnl: NOT_ADDED_UP,
  realized_pnl: NOT_ADDED_UP,
  fees_paid: NOT_ADDED_UP,
  position_count: NOT_ADDED_UP,
  unpriced_count: NOT_ADDED_UP,
  estimated_count: NOT_ADDED_UP,
  estimated_value: NOT_ADDED_UP,
  unreadable_count: "This server does not say how many rows can't be read.",
  unrealized_pnl_percent: noPercent,
  total_value: (portfolio) => (portfolio.cash === null ? NO_CASH : NOT_ADDED_UP),
  collateral_returned: "How much collateral the exchange has paid back early could not be established.",
  exchange_portfolio_value: (portfolio) =>
    portfolio.cash === null ? NO_CASH : "The exchange's last balance did not say what it takes the positions for.",
  day_pnl: noDay,
  day_pnl_since: NO_BASELINE,
  reconciled_at: "Not checked with the exchange yet.",
  updated_at: "No figure has come yet.",
  // Null says that it is the sum of several accounts; an account alone has no environment here.
  account_id: "",
  version: "",
  environment: "",
});

/**
 * @param {string} field
 * @param {Portfolio} portfolio
 * @param {Context} context
 */
export function whyPortfolioUnknown(field, portfolio, context) {
  const reason = REASONS[field] ?? UNSAID;
  const sentence = typeof reason === "string" ? reason : reason(portfolio, context);
  if (!sentence) return "";
  const isSum = portfolio.account_id === null;
  if (portfolio.reconciled_at === null) {
    return isSum
      ? "One of these accounts, at least, has not been checked with the exchange yet."
      : "This account has not been checked with the exchange yet.";
  }
  // Of a sum it can't be told here which account lacks it, and why.
  return isSum && field !== "unrealized_pnl_percent"
    ? "It is unknown for at least one of these accounts; look at each of them for the reason."
    : sentence;
}

/** @param {Portfolio} portfolio */
function noPercent({ position_count: count, unpriced_count: unpriced, unrealized_pnl: pnl }) {
  if (pnl === null) return NOT_ADDED_UP;
  if (count === 0) return "No position is open.";
  if (count === unpriced) return "None of the positions has a price.";
  return "The positions cost nothing that a gain could be a share of.";
}

/** @param {Portfolio} portfolio @param {Context} context */
function noDay(portfolio, { isReading }) {
  if (portfolio.total_value === null) return portfolio.cash === null ? NO_CASH : NOT_ADDED_UP;
  if (isReading) {
    return "Your history is still being read; until then it is not known where the account stood as the day began.";
  }
  if (portfolio.day_pnl_since === null) return NO_BASELINE;
  if (portfolio.unpriced_count > 0) {
    return "A position that had a price as the day began has none now, so the day's result is unknown.";
  }
  return "Where the account stood as the day began is not known.";
}
