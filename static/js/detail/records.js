// @ts-check
/**
 * What of a position changes with an execution, a payout or a result, and not with a price: what was
 * asked of the server is then to be asked for anew.
 */

/** @typedef {import("../types.js").Position} Position */

const RECORDED = /** @type {const} */ ([
  "quantity",
  "exposure",
  "realized_pnl",
  "fees_paid",
  // Which outcomes are possible still.
  "market_status",
  "settlement_value",
]);

/**
 * Whether two are of one account and event: what one pays in the end is told with the other.
 *
 * @param {Position} one
 * @param {Position} other
 */
export function isOfOneEvent(one, other) {
  return one.account_id === other.account_id && eventOf(one) === eventOf(other);
}

/**
 * The records of a position and all that is held with it of its event, to be compared.
 *
 * @param {Position} position
 * @param {Iterable<Position>} held
 */
export function recordsOf(position, held) {
  const others = [...held].filter(
    (other) => other.ticker !== position.ticker && isOfOneEvent(position, other),
  );
  return [position, ...others.sort(byTicker)].map(recordOf).join("\n");
}

/** @param {Position} position */
function eventOf({ event_ticker, ticker }) {
  return event_ticker ?? ticker;
}

/** @param {Position} position */
function recordOf(position) {
  return [position.ticker, ...RECORDED.map((field) => position[field])].join(" ");
}

/** @param {Position} one @param {Position} other */
function byTicker(one, other) {
  return one.ticker < other.ticker ? -1 : 1;
}
