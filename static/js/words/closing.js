// @ts-check
/**
 * How a position ended: what was sold is said as sold, what was settled with its result.
 */

import { compareDecimals, subtract } from "../decimal.js";
import { figureText } from "../figures.js";
import { outcomeText } from "./outcome.js";
import { resultAt } from "./status.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../types.js").PositionClosed} PositionClosed */

/**
 * @typedef {object} Ending
 * @property {"sold" | "won" | "lost" | "scalar" | "settled" | "gone"} kind
 * @property {string} word a badge: `Sold`, `Won`, `Lost`, `Settled at 35¢`
 * @property {string | null} payout dollars, where that is known and the position was settled
 */

/**
 * @param {Pick<PositionClosed, "reason" | "realized_pnl">} closed
 * @param {Position} [position] as it last was
 * @returns {Ending}
 */
export function endingOf(closed, position) {
  if (closed.reason === "settled") return settlement(closed, position);
  // The exchange no longer shows it, and not a word of how that came: it need not be a sale.
  if (closed.realized_pnl === null) return { kind: "gone", word: "No longer held", payout: null };
  // Sold, or bought away on the other side, which the exchange nets: the same trade to it.
  return { kind: "sold", word: "Sold", payout: null };
}

/**
 * @param {Pick<PositionClosed, "realized_pnl">} closed
 * @param {Position} [position]
 * @returns {Ending}
 */
function settlement({ realized_pnl: realized }, position) {
  const payout = position && realized !== null ? payoutOf(realized, position) : null;
  if (!position || payout === null) return { kind: "settled", word: "Settled", payout };
  if (compareDecimals(payout, position.payout ?? "0") === 0) return { kind: "won", word: "Won", payout };
  if (resultAt(payout) === "lost") return { kind: "lost", word: "Lost", payout };
  const { mark, mark_source: source } = position;
  const isPriceKnown = source === "settlement" && mark !== null;
  return { kind: "scalar", word: isPriceKnown ? `Settled at ${figureText("mark", mark)}` : "Settled", payout };
}

/**
 * What was paid out, by the law that a settlement realizes its payout less what it cost; null if
 * the position as it last was can't be what was settled.
 *
 * @param {string} realized in all
 * @param {Position} position
 */
function payoutOf(realized, { realized_pnl: before, exposure, payout: most }) {
  if (before === null || exposure === null || most === null) return null;
  const gained = subtract(realized, before);
  const paid = subtract(gained, subtract("0", exposure));
  const isPossible = !paid.startsWith("-") && !subtract(most, paid).startsWith("-");
  return isPossible ? paid : null;
}

/**
 * One sentence or two of it, for the note and the status alike: `Sold: NO · Atlanta, Who wins?
 * Realized ▲ +$3.60 before fees.`
 *
 * @param {PositionClosed} closed
 * @param {Position} [position] as it last was
 * @param {string} [name] what it is called if there is none
 */
export function closingText(closed, position, name = closed.ticker) {
  const { word, payout } = endingOf(closed, position);
  const title = position ? [outcomeText(position).whole, position.title ?? name].join(", ") : name;
  const paid =
    payout !== null &&
    (resultAt(payout) === "lost" ? "It paid nothing." : `It paid ${figureText("payout", payout)}.`);
  return [`${word}: ${ended(title)}`, paid, realizedText(closed)].filter(Boolean).join(" ");
}

/** @param {PositionClosed} closed */
function realizedText({ realized_pnl: realized }) {
  if (realized === null) return "What it realized is not known yet.";
  return `Realized ${figureText("realized_pnl", realized)} before fees.`;
}

/** @param {string} text */
function ended(text) {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
