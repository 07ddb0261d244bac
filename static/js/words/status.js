// @ts-check
/**
 * How a market stands, and its result as the holder reads it.
 */

import { figureText } from "../figures.js";
import { stageOf } from "./stage.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {Pick<Position, "market_status" | "mark" | "mark_source">} Standing */

/**
 * What the result means for who holds the position.
 *
 * @typedef {"won" | "lost" | "scalar"} Result
 */

/**
 * The result as far as it is told; null while there is none.
 *
 * @param {Standing} position
 * @returns {Result | null}
 */
export function resultOf({ mark, mark_source: source }) {
  if (source !== "settlement" || mark === null) return null;
  return resultAt(mark);
}

/**
 * What it means that one contract of the held side pays this.
 *
 * @param {string} value dollars
 * @returns {Result}
 */
export function resultAt(value) {
  // Read as digits: a result is exactly nothing, exactly a dollar, or between.
  if (!/[1-9]/.test(value)) return "lost";
  return /^0*1(\.0*)?$/.test(value) ? "won" : "scalar";
}

/**
 * A badge: `Trading`, `Awaiting result`, `Won · not final`, `Won · paid out`, `35¢ each · disputed`.
 *
 * @param {Standing} position
 */
export function statusWord(position) {
  const { word, note } = stageOf(position.market_status);
  const result = resultOf(position);
  // Where there is nothing to pay out, a result that nobody can change any more is just that.
  if (result === "lost" && position.market_status === "finalized") return "Lost · final";
  return [result ? resultWord(result, position.mark ?? "") : word, note].filter(Boolean).join(" · ");
}

/** @param {Result} result @param {string} value */
function resultWord(result, value) {
  return { won: "Won", lost: "Lost", scalar: `${figureText("mark", value)} each` }[result];
}

/**
 * The same in a sentence or two, with what is still to come.
 *
 * @param {Standing} position
 */
export function statusSentence(position) {
  const result = resultOf(position);
  const told = result ? resultSentence(result, position.mark ?? "") : "";
  switch (position.market_status) {
    case "initialized":
      return "Trading in this market has not begun.";
    case "active":
      return "This market is open: it can be traded now.";
    case "inactive":
      return "The exchange has paused trading in this market.";
    case "closed":
      return "Trading has ended. The exchange has not told the result yet.";
    case "determined":
      return `${told || WITHOUT} Nothing is paid yet, and the result can still be disputed.`;
    case "disputed":
      return `${told || WITHOUT} The result is disputed: it may be changed, and nothing is paid until that is settled.`;
    case "amended":
      return `${told || WITHOUT} This result takes the place of an earlier one.`;
    case "finalized":
      return `${told || WITHOUT} The result is final, and the exchange has paid it out.`;
    default:
      return `${told ? `${told} ` : ""}How the market stands the exchange has not told.`;
  }
}

const WITHOUT = "The market is decided; what a contract pays is not told yet.";

/** @param {Result} result @param {string} value */
function resultSentence(result, value) {
  return {
    won: "You have won: each contract pays $1.",
    lost: "You have lost: your contracts pay nothing.",
    scalar: `The result lies between: each of your contracts pays ${figureText("mark", value)}.`,
  }[result];
}
