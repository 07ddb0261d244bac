// @ts-check
import { Figures, figureText, unreadableText, writeText } from "../figures.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Portfolio} Portfolio */

/**
 * The account's sums. Its markup is in the page; set `portfolio` to fill it.
 */
export class PortfolioSummaryBar extends HTMLElement {
  static define(tag = "portfolio-summary-bar", registry = customElements) {
    registry.define(tag, PortfolioSummaryBar);
  }

  /** @type {Figures | null} */
  #figures = null;

  /** Whose sums these are; empty where that is clear. */
  set heading(/** @type {string} */ text) {
    const heading = part(this, ".summary-of");
    heading.hidden = !text;
    writeText(heading, text);
  }

  /** The accounts that are added up. */
  set ids(/** @type {readonly number[]} */ ids) {
    /** @type {import("./ledger-note.js").LedgerNote} */ (part(this, "ledger-note")).ids = ids;
  }

  /** Null while they are not known: those of another account must not stay. */
  set portfolio(/** @type {Portfolio | null} */ portfolio) {
    this.#figures ??= new Figures(this);
    this.#figures.write(portfolio ?? {});
    if (portfolio) this.removeAttribute("aria-busy");
    else this.setAttribute("aria-busy", "true");
    this.#noteAll(portfolio);
  }

  /** @param {Portfolio | null} portfolio */
  #noteAll(portfolio) {
    const unpriced = portfolio?.unpriced_count ?? 0;
    this.#note(
      ".note-estimate",
      // Without a total there is nothing that could be an estimate.
      (portfolio?.total_value ?? null) !== null &&
        portfolio?.collateral_returned === null &&
        "estimate",
    );
    this.#note(
      ".note-unpriced",
      unpriced > 0 && `${figureText("unpriced_count", unpriced)} without a price`,
    );
    this.#note(".note-provisional", (portfolio?.cash_provisional ?? false) && "provisional");
    this.#note(".note-unreadable", unreadableText(portfolio?.unreadable_count));
  }

  /** @param {string} selector @param {string | false} text */
  #note(selector, text) {
    const note = part(this, selector);
    note.hidden = !text;
    writeText(note, text || "");
  }
}
