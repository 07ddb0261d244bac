// @ts-check
/**
 * The P&L, said aloud now and then: for those who ask for it, as they can't see it move.
 */

import { dollars, profit, signOf } from "../format.js";
import { capitalized } from "../viewed.js";

/** @typedef {import("../viewed.js").Sum} Sum */

/** Who listens hears nothing else meanwhile. */
const EVERY_MS = 30_000;

export class SpokenSums {
  #saidAt = -Infinity;
  #said = "";

  /**
   * What is to be said now: nothing sooner than half a minute after the last, and nothing twice.
   *
   * @param {readonly Sum[]} sums those in sight, all of them live
   * @param {number} now by a clock that never goes back, in milliseconds
   * @returns {string[]} sentences
   */
  due(sums, now) {
    if (now - this.#saidAt < EVERY_MS) return [];
    const sentences = sums.map(sentenceOf).filter(Boolean);
    const text = sentences.join(" ");
    if (text === "" || text === this.#said) return [];
    this.#saidAt = now;
    this.#said = text;
    return sentences;
  }
}

/** @param {Sum} sum */
function sentenceOf({ heading, portfolio }) {
  if (!portfolio) return "";
  const parts = [
    gainText("Unrealized P&L", portfolio.unrealized_pnl),
    gainText("today", portfolio.day_pnl ?? null),
  ].filter(Boolean);
  if (parts.length === 0) return "";
  return `${heading ? `${heading}: ` : ""}${capitalized(parts.join(", "))}.`;
}

/** Arrows and signs are read in many ways, or not at all. @param {string} name @param {string | null} amount */
function gainText(name, amount) {
  if (amount === null) return "";
  const size = dollars(amount.replace("-", ""));
  const ways = { gain: `up ${size}`, loss: `down ${size}`, flat: "unchanged" };
  return `${name} ${ways[signOf(profit(amount))]}`;
}
