// @ts-check
import { Asking } from "../detail/asking.js";
import { writeFigures } from "../detail/figure_nodes.js";
import { isSaleOf, saleText } from "../detail/words.js";
import { writeText } from "../figures.js";
import { moment } from "../format.js";
import { isOutOfTrade } from "../words/stage.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */

const AGAIN_MS = 5_000;
const NOTHING = { answer: undefined, error: null, isLoading: true };

/**
 * What selling the position at once would fetch. Set `position`; while it is in sight the order book
 * is asked for every few seconds.
 */
export class SellNow extends HTMLElement {
  static define(tag = "sell-now", registry = customElements) {
    registry.define(tag, SellNow);
  }

  /** @type {Position | null} */
  #position = null;
  /** @type {Omit<import("../detail/asking.js").Known, "askedAt">} */
  #known = NOTHING;
  #asking = new Asking((known) => {
    this.#known = known;
    this.draw();
  });
  #isInSight = false;
  #timer = 0;
  #sight = new IntersectionObserver((entries) => {
    this.#isInSight = entries[entries.length - 1].isIntersecting;
    this.#look();
  });
  #isBound = false;

  connectedCallback() {
    this.#sight.observe(this);
    this.#timer = setInterval(() => {
      if (this.#isInSight && document.visibilityState === "visible") this.#asking.renew(this.#path);
    }, AGAIN_MS);
    if (this.#isBound) return;
    this.#isBound = true;
    part(this, "button").addEventListener("click", () => this.#asking.renew(this.#path));
  }

  disconnectedCallback() {
    this.#sight.disconnect();
    clearInterval(this.#timer);
    this.#asking.end();
  }

  set position(/** @type {Position} */ position) {
    const before = this.#position;
    this.#position = position;
    const isSame = before?.ticker === position.ticker && before.account_id === position.account_id;
    if (!isSame || before.market_status !== position.market_status) {
      this.#known = NOTHING;
      this.#look();
      this.draw();
    } else if (before.quantity !== position.quantity) this.#asking.renew(this.#path);
  }

  draw() {
    const position = this.#position;
    if (!position) return;
    const { answer, error, isLoading } = this.#known;
    // What could not be asked again is of another time, or of another number of contracts.
    const isKnown = this.#isOpen && !error && isSaleOf(answer?.sell_now, position);
    const sale = isKnown ? answer.sell_now : null;
    part(this, "dl").hidden = sale === null;
    part(this, "button").hidden = !error;
    writeFigures(this, "sell_now", sale);
    writeText(part(this, ".sale-text"), sale ? saleText(sale, position) : "");
    let note = sale ? `By the order book of ${moment(answer.as_of, Date.now())}.` : "";
    if (isLoading) note = "Loading…";
    if (error) note = `The order book could not be read: ${error.message}`;
    if (!this.#isOpen) note = "The market isn't open: nothing can be sold now.";
    writeText(part(this, ".sale-note"), note);
  }

  /** Of a market that the exchange has not described yet it may be. */
  get #isOpen() {
    return !isOutOfTrade(this.#position?.market_status);
  }

  get #path() {
    if (!this.#position || !this.#isOpen) return null;
    const { ticker, account_id } = this.#position;
    return `positions/${encodeURIComponent(ticker)}/orderbook?account=${account_id}`;
  }

  #look() {
    if (this.#isInSight || this.#path === null) this.#asking.want(this.#path);
    // Out of sight nothing is asked; what was known of another one is forgotten all the same.
    else this.#asking.end();
  }
}
