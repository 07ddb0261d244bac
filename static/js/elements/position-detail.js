// @ts-check
import { Figures, writeText } from "../figures.js";
import { age, markNote, unreadableNote } from "../format.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */

/** The only place that a position's link may lead to. */
const EXCHANGE = "https://kalshi.com/";

/**
 * One position with all of its figures. Its markup is in the page.
 *
 * Attributes: `mark-price`, the server's `MARK_PRICE`. `data-state` tells what is shown:
 * `position`, `closed` (a note that it isn't open) or `none`.
 */
export class PositionDetail extends HTMLElement {
  static define(tag = "position-detail", registry = customElements) {
    registry.define(tag, PositionDetail);
  }

  /** Whose it is; empty where that is clear. */
  account = "";

  /** @type {Figures | null} */
  #figures = null;
  /** @type {Position | null} */
  #position = null;

  get position() {
    return this.#position;
  }

  set position(/** @type {Position | null} */ position) {
    this.#position = position;
    if (!position) return;
    this.#figures ??= new Figures(this);
    this.#figures.write(position);
    const texts = {
      title: position.title ?? position.ticker,
      account: this.account,
      outcome: position.outcome ?? "",
      side: position.side.toUpperCase(),
      ticker: position.ticker,
      event_ticker: position.event_ticker ?? "—",
      series_ticker: position.series_ticker ?? "—",
      market_status: position.market_status ?? "—",
      mark_note: markNote(position, this.getAttribute("mark-price") ?? "bid"),
      mark_source: position.mark_source ?? "—",
      unreadable: unreadableNote(position.unreadable),
    };
    for (const [name, text] of Object.entries(texts)) {
      for (const node of this.querySelectorAll(`[data-text="${name}"]`)) writeText(node, text);
    }
    this.#link(position.url);
    this.dataset.state = "position";
  }

  /**
   * Show that there is no position to show.
   *
   * @param {"none" | "closed"} state
   */
  clear(state) {
    this.#position = null;
    this.dataset.state = state;
  }

  /** @param {number} now the server's clock, milliseconds since 1970 */
  tick(now) {
    const pricedAt = this.#position?.priced_at;
    writeText(
      part(this, "[data-text=priced_age]"),
      pricedAt ? `last change ${age(pricedAt, now)} ago` : "",
    );
  }

  /** @param {string | null} url */
  #link(url) {
    /** @type {HTMLAnchorElement} */
    const link = part(this, ".detail-market");
    const isSafe = url !== null && url.startsWith(EXCHANGE);
    link.hidden = !isSafe;
    if (isSafe && link.href !== url) link.href = url;
  }
}
