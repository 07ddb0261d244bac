// @ts-check
import { get } from "../api.js";
import { writeText } from "../figures.js";
import { isReading, reachText, unexplainedText } from "../ledger_words.js";
import { part } from "./template.js";

/** @typedef {import("../ledger_words.js").Proof} Proof */

/** Asked again this often; while history is being read, more often. */
const AGAIN_MS = 60_000;
const READING_MS = 5_000;
/** Doubled by each question while there is no proof. */
const FIRST_MS = 2_500;

/**
 * How far back the records of the accounts in sight go, and what they leave unexplained. Its markup
 * is in the page; set `ids` to fill it.
 *
 * Events, which bubble: `reading-change`, when `isReading` has become another for any of them, or
 * more of their records has been read.
 */
export class LedgerNote extends HTMLElement {
  static define(tag = "ledger-note", registry = customElements) {
    registry.define(tag, LedgerNote);
  }

  /** @type {readonly number[]} */
  #ids = [];
  /** @type {readonly Proof[]} */
  #proofs = [];
  #timer = 0;
  #delay = FIRST_MS;
  /** How far back their records go, once it was told. @type {string | null} */
  #reach = null;
  /** Those whose history is still being read. @type {ReadonlySet<number>} */
  #reading = new Set();

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  /** The accounts that it is about. */
  set ids(/** @type {readonly number[]} */ ids) {
    if (ids.join() === this.#ids.join()) {
      // The figures in its sentences may be hidden now, or not any more.
      this.#write();
      return;
    }
    this.#ids = ids;
    this.#proofs = [];
    this.#reach = null;
    this.#delay = FIRST_MS;
    this.#write();
    this.#ask();
  }

  /** Whether history is still being read, as far as is known: figures may be unknown for it. */
  get isReading() {
    return this.#reading.size > 0;
  }

  /** The same of one account. @param {number} id */
  isReadingOf(id) {
    return this.#reading.has(id);
  }

  async #ask() {
    clearTimeout(this.#timer);
    const ids = this.#ids;
    if (document.visibilityState === "visible") {
      try {
        const proofs = await Promise.all(ids.map((id) => get(`proof?account=${id}`)));
        if (ids === this.#ids) this.#proofs = proofs;
      } catch {
        // It only helps: what was said stays, and it is asked again.
      }
    }
    if (ids !== this.#ids || !this.isConnected) return;
    this.#write();
    this.#delay = this.#nextDelay();
    this.#timer = setTimeout(() => this.#ask(), this.#delay);
  }

  #nextDelay() {
    if (this.#proofs.some(isReading)) return READING_MS;
    // Of an account that was just added there is none yet; of another there never is.
    const isProved = this.#proofs.length > 0 && this.#proofs.every((each) => each.residual !== null);
    return isProved ? AGAIN_MS : Math.min(2 * this.#delay, AGAIN_MS);
  }

  #write() {
    const reading = this.#ids.filter((_, index) => this.#proofs[index] && isReading(this.#proofs[index]));
    const isTold = this.#proofs.length > 0;
    const reach = isTold ? JSON.stringify(this.#proofs.map((each) => each.complete_from)) : null;
    const isMore = this.#reach !== null && reach !== this.#reach;
    this.#reach = reach;
    if (isMore || reading.join() !== [...this.#reading].join()) {
      this.#reading = new Set(reading);
      this.dispatchEvent(new CustomEvent("reading-change", { bubbles: true }));
    }
    this.hidden = !isTold;
    if (!isTold) return;
    writeText(part(this, ".ledger-reach"), reachText(this.#proofs));
    const odd = unexplainedText(this.#proofs);
    part(this, ".ledger-odd").hidden = !odd;
    writeText(part(this, ".ledger-odd"), odd);
  }
}
