// @ts-check
import { Figures, figureText, unreadableText, writeText } from "../figures.js";
import { exchangeComparison } from "../words/exchange_value.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Portfolio} Portfolio */
/** @typedef {import("./ledger-note.js").LedgerNote} LedgerNote */

/**
 * The account's sums. Its markup is in the page; set `portfolio` to fill it.
 *
 * Attributes: `mark-price`, the server's `MARK_PRICE`.
 */
export class PortfolioSummaryBar extends HTMLElement {
  static define(tag = "portfolio-summary-bar", registry = customElements) {
    registry.define(tag, PortfolioSummaryBar);
  }

  /** @type {Figures | null} */
  #figures = null;
  /** @type {Portfolio | null} */
  #portfolio = null;
  #lifetime = new AbortController();

  connectedCallback() {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    // Why a figure is unknown may be another now.
    this.#ledger.addEventListener("reading-change", () => this.#write(), { signal });
    part(this, "details").addEventListener("toggle", () => this.#write(), { signal });
  }

  disconnectedCallback() {
    this.#lifetime.abort();
  }

  /** Whose sums these are; empty where that is clear. */
  set heading(/** @type {string} */ text) {
    const heading = part(this, ".summary-of");
    heading.hidden = !text;
    writeText(heading, text);
  }

  /** The accounts that are added up. */
  set ids(/** @type {readonly number[]} */ ids) {
    this.#ledger.ids = ids;
  }

  /** Whether an account's history is still being read. @param {number} id */
  isReadingOf(id) {
    return this.#ledger.isReadingOf(id);
  }

  /** Null while they are not known: those of another account must not stay. */
  set portfolio(/** @type {Portfolio | null} */ portfolio) {
    this.#portfolio = portfolio;
    this.#write();
  }

  get #ledger() {
    return /** @type {LedgerNote} */ (part(this, "ledger-note"));
  }

  #write() {
    const portfolio = this.#portfolio;
    this.#figures ??= new Figures(this);
    this.#figures.write(portfolio ?? {}, { isReading: this.#ledger.isReading });
    if (portfolio) this.removeAttribute("aria-busy");
    else this.setAttribute("aria-busy", "true");
    this.#noteAll(portfolio);
    this.#compare(portfolio);
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

  /** Ours beside the exchange's own value. @param {Portfolio | null} portfolio */
  #compare(portfolio) {
    // Where nobody looks nothing is worked out: it changes with every price.
    const isSeen = portfolio && part(this, "details").hasAttribute("open");
    const markPrice = this.getAttribute("mark-price") ?? "bid";
    this.#note(".exchange-difference", isSeen ? exchangeComparison(portfolio, markPrice) : "");
  }

  /** @param {string} selector @param {string | false} text */
  #note(selector, text) {
    const note = part(this, selector);
    note.hidden = !text;
    writeText(note, text || "");
  }
}
