// @ts-check
import { get } from "../api.js";
import { writeText } from "../figures.js";
import { isReading, reachText, unexplainedText } from "../ledger_words.js";
import { part } from "./template.js";

/** @typedef {import("../ledger_words.js").Proof} Proof */

/** Asked again this often; while history is being read, more often. */
const AGAIN_MS = 60_000;
const READING_MS = 5_000;

/**
 * How far back the records of the accounts in sight go, and what they leave unexplained. Its markup
 * is in the page; set `ids` to fill it.
 *
 * Events, which bubble: `reading-change`, when `isReading` has become another for any of them.
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
    const delay = this.#proofs.some(isReading) ? READING_MS : AGAIN_MS;
    this.#timer = setTimeout(() => this.#ask(), delay);
  }

  #write() {
    const reading = this.#ids.filter((_, index) => this.#proofs[index] && isReading(this.#proofs[index]));
    if (reading.join() !== [...this.#reading].join()) {
      this.#reading = new Set(reading);
      this.dispatchEvent(new CustomEvent("reading-change", { bubbles: true }));
    }
    const isKnown = this.#proofs.length > 0;
    this.hidden = !isKnown;
    if (!isKnown) return;
    writeText(part(this, ".ledger-reach"), reachText(this.#proofs));
    const odd = unexplainedText(this.#proofs);
    part(this, ".ledger-odd").hidden = !odd;
    writeText(part(this, ".ledger-odd"), odd);
  }
}
