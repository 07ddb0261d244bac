// @ts-check
/**
 * Where a market stands in its life, by the exchange's own words for it.
 *
 * After trading has ended there are five different things: no result yet, a result that may still
 * be disputed, one that is, one that was changed, and one that is paid out.
 */

/**
 * @typedef {object} Stage
 * @property {string} word a badge, where there is no result to name
 * @property {string} note what the result is, in the few letters beside a mark; empty while there
 *   is none
 */

/** @type {Readonly<Record<string, Stage>>} */
const STAGES = Object.freeze({
  initialized: { word: "Not open yet", note: "" },
  active: { word: "Trading", note: "" },
  inactive: { word: "Paused", note: "" },
  closed: { word: "Awaiting result", note: "" },
  determined: { word: "Decided", note: "not final" },
  disputed: { word: "Decided", note: "disputed" },
  amended: { word: "Decided", note: "amended" },
  finalized: { word: "Decided", note: "paid out" },
});

/** Of a status that nobody has told yet, or that a newer exchange has. */
const UNTOLD = Object.freeze({ word: "Status unknown", note: "" });

/**
 * Whether it can't be traded now, as far as that is told.
 *
 * @param {string | null | undefined} status
 */
export function isOutOfTrade(status) {
  return status !== "active" && stageOf(status) !== UNTOLD;
}

/**
 * @param {string | null | undefined} status
 * @returns {Stage}
 */
export function stageOf(status) {
  return Object.hasOwn(STAGES, status ?? "") ? STAGES[status ?? ""] : UNTOLD;
}
