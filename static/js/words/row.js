// @ts-check
/**
 * A position in one sentence, as a screen reader says its row.
 */

import { figureText } from "../figures.js";
import { closesIn, expectedAt } from "./closing_time.js";
import { outcomeText } from "./outcome.js";
import { resultOf, statusWord } from "./status.js";
import { whyUnknown } from "./unknown.js";

/** @typedef {import("../types.js").Position} Position */

/**
 * `NO · Atlanta, Who wins?: 120 contracts at 54¢, now 57¢, value $68.40, gain $3.60, +5.6 %,
 * outcome expected in 3 h 12 min.` Amounts are hidden in privacy mode, as they are in sight.
 *
 * @param {Position} position
 * @param {number} now the server's clock, milliseconds since 1970
 * @param {string} [account] whose it is; empty where that is clear
 */
export function rowLabel(position, now, account = "") {
  const { quantity, average_price: average, market_status: status } = position;
  const parts = [
    account,
    `${figureText("quantity", quantity)} contracts${average === null ? "" : ` at ${figureText("average_price", average)}`}`,
    ...worthOf(position),
    resultOf(position) || status !== "active" ? statusWord(position) : "",
    resultOf(position) ? "" : closing(position, now),
  ];
  const held = `${outcomeText(position).whole}, ${position.title ?? position.ticker}`;
  return `${held}: ${parts.filter(Boolean).join(", ")}.`;
}

/** @param {Position} position */
function worthOf(position) {
  const { mark, market_value: value, unrealized_pnl: pnl, unrealized_pnl_percent: percent } = position;
  if (mark === null || value === null) {
    return [`value unknown: ${whyUnknown("mark", position).replace(/\.$/, "")}`];
  }
  return [
    `now ${figureText("mark", mark)}`,
    `value ${figureText("market_value", value)}`,
    pnl === null ? "" : gainOrLoss(pnl),
    percent === null ? "" : figureText("unrealized_pnl_percent", percent),
  ];
}

/** An arrow and a sign, in a word. @param {string} pnl */
function gainOrLoss(pnl) {
  return figureText("unrealized_pnl", pnl).replace("▲ +", "gain ").replace("▼ \u2212", "loss ");
}

/** @param {Position} position @param {number} now */
function closing(position, now) {
  if (expectedAt(position) === null) return "";
  const text = closesIn(position, now);
  return text.startsWith("past") ? text : `outcome expected ${text}`;
}
