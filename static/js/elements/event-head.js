// @ts-check
import { Figures, figureText, writeText } from "../figures.js";
import { cloneTemplate, part } from "./template.js";

/** @typedef {import("../list/items.js").Head} Head */

/**
 * The head of an event in the list: its name and what an account's positions in it sum to. It folds
 * them away. Set `account` and `context` before `head`.
 *
 * Events, which bubble: `fold`, `payouts`.
 */
export class EventHead extends HTMLElement {
  static define(tag = "event-head", registry = customElements) {
    registry.define(tag, EventHead);
  }

  /** Whose it is; empty where that is clear. */
  account = "";
  /** What is known beside it. @type {import("../words/unknown.js").Context} */
  context = {};

  /** @type {Figures | null} */
  #figures = null;
  /** @type {Head | null} */
  #head = null;

  get head() {
    return this.#head;
  }

  set head(head) {
    if (!head) return;
    this.#figures ??= this.#build();
    this.#head = head;
    this.#figures.write(head, this.context);
    writeText(part(this, ".head-title"), this.name);
    // A count tells the size too.
    writeText(part(this, ".head-count"), figureText("position_count", head.open.length));
    const expanded = String(!head.isFolded);
    if (this.link.getAttribute("aria-expanded") !== expanded) {
      this.link.setAttribute("aria-expanded", expanded);
    }
  }

  /** What is held, and by whom. */
  get name() {
    const { title = null, ticker = "" } = this.#head?.positions[0] ?? {};
    return [this.account, title ?? ticker].filter(Boolean).join(" · ");
  }

  /** The button, which takes the focus. */
  get link() {
    return part(this, ".head-folds");
  }

  #build() {
    this.replaceChildren(cloneTemplate("event-head-template"));
    this.#offer(".head-folds", "fold");
    this.#offer(".head-payouts", "payouts");
    return new Figures(this);
  }

  /** @param {string} selector @param {string} type */
  #offer(selector, type) {
    part(this, selector).addEventListener("click", () =>
      this.dispatchEvent(new CustomEvent(type, { bubbles: true })),
    );
  }
}
