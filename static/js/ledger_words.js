// @ts-check
/**
 * What the ledger says of itself, in sentences: how far back it goes, and what it can't explain.
 */

import { figureText } from "./figures.js";
import { dateTime } from "./format.js";

/**
 * The answer of `GET proof`, as far as it is said on the page.
 *
 * @typedef {object} Proof
 * @property {string | null} residual null before a balance is known and while history is read
 * @property {string | null} complete_from
 * @property {readonly {amount: string, to: string}[]} unexplained
 * @property {readonly {ticker: string}[]} disagreements
 */

/** Whether older records are still being read. @param {Proof} proof */
export function isReading(proof) {
  return proof.residual === null && proof.complete_from !== null;
}

/**
 * How far back all is known, one sentence for all accounts in sight.
 *
 * @param {readonly Proof[]} proofs one for each account
 */
export function reachText(proofs) {
  const known = proofs.map((proof) => proof.complete_from).filter((at) => at !== null);
  if (known.length === 0) return "Nothing is recorded yet.";
  // Complete for all of them is what is complete for the one furthest behind.
  const from = dateTime(known.sort().at(-1) ?? "");
  if (proofs.some(isReading)) {
    return `Reading your history: so far it is here back to ${from}. Until all of it is, some of today’s figures may be unknown.`;
  }
  return `Records are complete since ${from}.`;
}

/**
 * What of the cash no record explains, and which markets' figures differ from the exchange's; empty
 * where all is explained.
 *
 * @param {readonly Proof[]} proofs
 */
export function unexplainedText(proofs) {
  const sentences = proofs.flatMap((proof) => [
    ...proof.unexplained.map(
      ({ amount, to }) =>
        `${figureText("realized_pnl", amount)} of cash that no record explains, noticed ${dateTime(to)}.`,
    ),
    ...proof.disagreements.map(
      ({ ticker }) => `${ticker}: the exchange shows other figures than its records lead to.`,
    ),
  ]);
  const rest = sentences.length - MOST;
  return [...sentences.slice(0, MOST), ...(rest > 0 ? [`And ${rest} more.`] : [])].join(" ");
}

const MOST = 3;
