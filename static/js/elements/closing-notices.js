// @ts-check
import { figureText } from "../figures.js";

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
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.replaceChildren();
  }

  /**
   * @param {PositionClosed} closed
   * @param {string} title
   */
  show(closed, title) {
    const verb = closed.reason === "settled" ? "Settled" : "Closed";
    const pnl = closed.realized_pnl === null ? "" : figureText("realized_pnl", closed.realized_pnl);
    const note = document.createElement("p");
    note.textContent = `${verb}${pnl && ` ${pnl}`} · ${title}`;
    this.append(note);
    while (this.childElementCount > MOST) this.firstElementChild?.remove();
    const timer = setTimeout(() => {
      note.remove();
      this.#timers.delete(timer);
    }, SHOWN_MS);
    this.#timers.add(timer);
  }
}
