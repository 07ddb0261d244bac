// @ts-check
import { compareDecimals } from "../decimal.js";
import { Figures, writeText } from "../figures.js";
import { markNote, signOf, profit } from "../format.js";
import { positionAddress } from "../position_address.js";
import { cloneTemplate, part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */

const FLASH_MS = 600;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * One position in the list: a single link to its detail.
 *
 * Set `markPrice` before the first `position`.
 */
export class PositionCard extends HTMLElement {
  static define(tag = "position-card", registry = customElements) {
    registry.define(tag, PositionCard);
  }

  /** The server's `MARK_PRICE`. */
  markPrice = "bid";
  /** Whose it is; empty where that is clear. */
  account = "";

  /** @type {Position | null} */
  #position = null;
  /** @type {ReturnType<PositionCard["build"]> | null} */
  #parts = null;
  /** @type {Animation | null} */
  #flash = null;

  get position() {
    return this.#position;
  }

  set position(position) {
    if (!position) return;
    this.#parts ??= this.build(position.ticker);
    const previous = this.#position;
    this.#position = position;
    const { figures, title, account, outcome, side, note } = this.#parts;
    this.#linkTo(position);
    figures.write(position);
    writeText(title, position.title ?? position.ticker);
    writeText(account, this.account);
    writeText(outcome, position.outcome ?? "");
    writeText(side, position.side.toUpperCase());
    writeText(note, markNote(position, this.markPrice));
    const pnl = position.unrealized_pnl;
    const sign = pnl === null ? "flat" : signOf(profit(pnl));
    if (this.dataset.sign !== sign) this.dataset.sign = sign;
    if (previous?.mark && position.mark && previous.mark !== position.mark) {
      this.#play(compareDecimals(position.mark, previous.mark) > 0 ? "up" : "down");
    }
  }

  /** The card's link, which takes the focus. */
  get link() {
    return part(this, "a");
  }

  disconnectedCallback() {
    this.#flash?.cancel();
  }

  /** @param {string} ticker */
  build(ticker) {
    this.replaceChildren(cloneTemplate("position-card-template"));
    this.dataset.ticker = ticker;
    return {
      figures: new Figures(this),
      title: part(this, ".card-title"),
      account: part(this, ".card-account"),
      outcome: part(this, ".card-outcome"),
      side: part(this, ".card-side"),
      note: part(this, ".card-note"),
      overlay: part(this, ".card-flash"),
    };
  }

  /** @param {Position} position */
  #linkTo({ ticker, account_id }) {
    const address = positionAddress(ticker, this.account ? account_id : null);
    if (this.link.getAttribute("href") === address) return;
    this.link.setAttribute("href", address);
    this.dataset.account = String(account_id);
  }

  /** @param {"up" | "down"} direction */
  #play(direction) {
    if (reducedMotion.matches || !this.#parts) return;
    const { overlay } = this.#parts;
    overlay.dataset.direction = direction;
    // Opacity is composited: an animated background or class was measured at three times the cost.
    this.#flash ??= overlay.animate({ opacity: [0.28, 0] }, { duration: FLASH_MS });
    this.#flash.currentTime = 0;
    this.#flash.play();
  }
}
