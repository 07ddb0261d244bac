// @ts-check
/**
 * What must be said beside a mark that isn't what was asked for.
 */

import { isOutOfTrade, stageOf } from "./stage.js";

/** @typedef {import("../types.js").Position} Position */

/**
 * What must be said beside a mark that isn't what `MARK_PRICE` asks for; empty when it is.
 *
 * @param {Pick<Position, "mark" | "mark_source" | "market_status" | "unreadable">} position
 * @param {string} markPrice the server's `MARK_PRICE`: bid, mid or last
 */
export function markNote(position, markPrice) {
  const { mark, mark_source: source, market_status: status, unreadable } = position;
  if (unreadable) return "can't be read";
  if (mark === null) return "no price";
  // Decided is not paid: until it is final the result can change.
  if (source === "settlement") return `result ${stageOf(status).note || "told"}`;
  if (source === markPrice) return "";
  if (source === "last" && isOutOfTrade(status)) return "not trading · last";
  if (source === "last") return "no bid · last";
  if (markPrice === "mid") return "no ask · bid";
  return `never traded · ${source}`;
}

/**
 * What it means that a row of the exchange can't be read; empty when all can be.
 *
 * @param {Position["unreadable"]} unreadable
 */
export function unreadableNote(unreadable) {
  if (!unreadable) return "";
  if (unreadable === "market") {
    return "The exchange's row for this market can't be read. The position's value is unknown.";
  }
  return (
    "The exchange's row for this position can't be read. Quantity and cost are the last known; " +
    "its value is unknown."
  );
}
