// @ts-check
import { closingText } from "../words/closing.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../types.js").PositionClosed} PositionClosed */

const SHOWN_MS = 8_000;
const MOST = 3;

/**
 * Quiet notes on positions that have been closed or settled. Each goes by itself.
 */
export class ClosingNotices extends HTMLElement {
  static define(tag = "closing-notices", registry = customElements) {
    registry.define(tag, ClosingNotices);
  }

  /** @type {Set<number>} */
  #timers = new Set();

  disconnectedCallback() {
    this.clear();
  }

  /** Take them away, as when they name amounts that nobody must see. */
  clear() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.replaceChildren();
  }

  /**
   * @param {PositionClosed} closed
   * @param {string} title what it is called, if it isn't known how it last was
   * @param {Position} [position] as it last was
   * @param {string} [account] whose it was; empty where that is clear
   * @returns {string} what the note says, to be said once to a screen reader too
   */
  show(closed, title, position, account = "") {
    const text = [account, closingText(closed, position, title)].filter(Boolean).join(" · ");
    const note = document.createElement("p");
    note.textContent = text;
    this.append(note);
    while (this.childElementCount > MOST) this.firstElementChild?.remove();
    const timer = setTimeout(() => {
      note.remove();
      this.#timers.delete(timer);
    }, SHOWN_MS);
    this.#timers.add(timer);
    return text;
  }
}
