// @ts-check
import { compareDecimals } from "../decimal.js";
import { Figures, figureText, writeText } from "../figures.js";
import { signOf, profit } from "../format.js";
import { heldQuote } from "../quote.js";
import { positionAddress } from "../position_address.js";
import { endingOf } from "../words/closing.js";
import { closesIn, closingTimes, isClosingSoon } from "../words/closing_time.js";
import { markNote } from "../words/mark.js";
import { outcomeText } from "../words/outcome.js";
import { statusSentence, statusWord } from "../words/status.js";
import { cloneTemplate, part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../list/items.js").Row} Row */

/** How long a figure that has changed is marked. */
export const FLASH_MS = 600;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * One position in the list: a link to its detail, as a card or as a row of the table.
 *
 * One element shows one position after another while the list is scrolled. Set `markPrice` before
 * the first `row`.
 *
 * Events, which bubble: `pin`, `dismiss`.
 */
export class PositionCard extends HTMLElement {
  static define(tag = "position-card", registry = customElements) {
    registry.define(tag, PositionCard);
  }

  /** The server's `MARK_PRICE`. */
  markPrice = "bid";
  /** Whose it is; empty where that is clear. */
  account = "";
  /** What is known beside it. @type {import("../words/unknown.js").Context} */
  context = {};

  /** @type {Row | null} */
  #row = null;
  /** @type {ReturnType<PositionCard["build"]> | null} */
  #parts = null;
  /** The row whose time is written. @type {Row | null} */
  #closing = null;
  /** When the mark last changed in sight; 0 once that is no longer shown. */
  #flashedAt = 0;

  get row() {
    return this.#row;
  }

  set row(row) {
    if (!row) return;
    this.#parts ??= this.build();
    const previous = this.#row;
    this.#row = row;
    if (previous?.key !== row.key) this.endFlash(Infinity);
    this.#write(row, this.#parts);
    this.#mark(row, this.#parts);
    const before = previous?.key === row.key ? previous.position.mark : null;
    if (before && row.position.mark && before !== row.position.mark) {
      this.#play(compareDecimals(row.position.mark, before) > 0 ? "up" : "down");
    }
  }

  /** The card's link, which takes the focus. */
  get link() {
    return part(this, "a");
  }

  /**
   * Take the mark off a figure that changed a while ago.
   *
   * @param {number} now by `performance.now()`
   */
  endFlash(now) {
    if (this.#flashedAt === 0 || now - this.#flashedAt < FLASH_MS) return;
    this.#flashedAt = 0;
    delete this.#parts?.overlay.dataset.direction;
  }

  build() {
    this.replaceChildren(cloneTemplate("position-card-template"));
    this.#offer(".card-pin", "pin");
    this.#offer(".card-dismiss", "dismiss");
    return {
      figures: new Figures(this),
      link: this.link,
      title: part(this, ".card-title"),
      account: part(this, ".card-account"),
      outcome: part(this, ".card-outcome"),
      side: part(this, ".card-side"),
      note: part(this, ".card-note"),
      quote: part(this, ".card-quote"),
      badge: part(this, ".card-badge"),
      closes: part(this, ".cell-closes"),
      pin: part(this, ".card-pin"),
      dismiss: part(this, ".card-dismiss"),
      overlay: part(this, ".card-flash"),
    };
  }

  /** @param {Row} row @param {ReturnType<PositionCard["build"]>} parts */
  #write({ position, closed }, { figures, title, account, outcome, side, note, quote, badge }) {
    figures.write(position, this.context);
    const held = outcomeText(position);
    writeText(title, position.title || position.ticker);
    writeText(account, this.account);
    writeText(side, held.pill);
    writeText(outcome, held.outcome);
    writeTitle(outcome, held.sentence);
    writeText(note, markNote(position, this.markPrice));
    writeText(quote, quoteText(position));
    const ending = closed && endingOf(closed, position);
    // That it can be traded goes without saying.
    const status = position.market_status === "active" ? "" : statusWord(position);
    writeText(badge, ending ? ending.word : status);
    writeTitle(badge, ending ? "" : statusSentence(position));
  }

  /**
   * As time goes by.
   *
   * @param {number} now the server's clock, milliseconds since 1970
   */
  tick(now) {
    if (!this.#row || !this.#parts) return;
    const { position, closed } = this.#row;
    const { closes } = this.#parts;
    const isSoon = closed === null && isClosingSoon(position, now);
    // What is a date stays one for a while.
    if (this.#closing === this.#row && !isSoon && !closes.hasAttribute("data-soon")) return;
    if (this.#closing !== this.#row) writeTitle(closes, closed ? "" : closingTimes(position));
    this.#closing = this.#row;
    writeText(closes, closed ? "" : closesIn(position, now));
    closes.toggleAttribute("data-soon", isSoon);
  }

  /**
   * What the style sheet goes by.
   *
   * @param {Row} row
   * @param {ReturnType<PositionCard["build"]>} parts
   */
  #mark({ position, closed, isPinned }, { link, pin, dismiss, side }) {
    const { ticker, account_id } = position;
    const address = positionAddress(ticker, this.account ? account_id : null);
    if (link.getAttribute("href") !== address) link.setAttribute("href", address);
    const pnl = position.unrealized_pnl;
    this.#set("ticker", ticker);
    this.#set("account", String(account_id));
    this.#set("sign", pnl === null ? "flat" : signOf(profit(pnl)));
    if (side.dataset.side !== position.side) side.dataset.side = position.side;
    this.toggleAttribute("data-closed", closed !== null);
    dismiss.hidden = closed === null;
    pin.hidden = closed !== null;
    const pressed = String(isPinned);
    if (pin.getAttribute("aria-pressed") !== pressed) pin.setAttribute("aria-pressed", pressed);
  }

  /** @param {string} name @param {string} value */
  #set(name, value) {
    if (this.dataset[name] !== value) this.dataset[name] = value;
  }

  /** @param {string} selector @param {string} type */
  #offer(selector, type) {
    part(this, selector).addEventListener("click", () =>
      this.dispatchEvent(new CustomEvent(type, { bubbles: true })),
    );
  }

  /** @param {"up" | "down"} direction */
  #play(direction) {
    if (reducedMotion.matches || !this.#parts) return;
    // On and off, both in frames that are drawn anyway: a fading overlay was measured at half of all
    // the page's work, as each is a layer that comes and goes.
    this.#parts.overlay.dataset.direction = direction;
    this.#flashedAt = performance.now();
  }
}

/** @param {HTMLElement} element @param {string} title */
function writeTitle(element, title) {
  if (element.title !== title) element.title = title;
}

/** @param {Position} position */
function quoteText(position) {
  const { bid, ask } = heldQuote(position);
  return `${figureText("yes_bid", bid)} / ${figureText("yes_ask", ask)}`;
}
