// @ts-check
import { keyOf } from "../account_state.js";
import { age } from "../format.js";
import { figureText, unreadableText, writeText } from "../figures.js";
import { inOrder, isOrder } from "../order.js";
import { PositionCard } from "./position-card.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../store.js").Changes} Changes */
/** @typedef {import("../order.js").Order} Order */

/** How many cards PageUp and PageDown pass. */
const PAGE = 8;

/**
 * The list of open positions.
 *
 * Attributes: `mark-price`, the server's `MARK_PRICE`. Events: `refresh`, `order-change` with the
 * order's name as detail. What it shows comes in by `update`, `tick` and the properties.
 */
export class PositionPanel extends HTMLElement {
  static define(tag = "position-panel", registry = customElements) {
    registry.define(tag, PositionPanel);
  }

  /**
   * The name of an account, where cards say whose they are; else empty.
   *
   * @type {(accountId: number) => string}
   */
  nameOf = () => "";

  /** By the position's key. @type {Map<string, PositionCard>} */
  #cards = new Map();
  /** @type {ReadonlyMap<string, Position>} */
  #positions = new Map();
  #isOrderDue = false;
  /** The one card that Tab reaches; the keys move from it. @type {PositionCard | null} */
  #stop = null;
  /** @type {string | null} */
  #selected = null;
  #lifetime = new AbortController();

  connectedCallback() {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    for (const button of this.querySelectorAll("[data-action=refresh]")) {
      const refresh = () => this.dataset.refresh !== "pending" && this.#dispatch("refresh");
      button.addEventListener("click", refresh, { signal });
    }
    this.#select.addEventListener(
      "change",
      () => {
        this.#arrange();
        this.#dispatch("order-change", this.order);
      },
      { signal },
    );
    this.#list.addEventListener("keydown", (event) => this.#move(event), { signal });
    this.#list.addEventListener("focusin", (event) => this.#follow(event), { signal });
  }

  disconnectedCallback() {
    this.#lifetime.abort();
  }

  /** Focus the card that Tab would reach. */
  focusCard() {
    this.#stop?.link.focus();
  }

  /** @returns {Order} */
  get order() {
    return isOrder(this.#select.value) ? this.#select.value : "value";
  }

  set order(order) {
    this.#select.value = order;
    this.#arrange();
  }

  /** The key of the position whose detail is shown. */
  set selected(/** @type {string | null} */ key) {
    this.#card(this.#selected)?.link.removeAttribute("aria-current");
    this.#selected = key;
    this.#card(key)?.link.setAttribute("aria-current", "true");
  }

  /**
   * The accounts whose figures must not look live.
   *
   * @param {ReadonlySet<number>} accountIds
   */
  showStale(accountIds) {
    for (const card of this.#cards.values()) {
      card.toggleAttribute("data-stale", accountIds.has(card.position?.account_id ?? NaN));
    }
  }

  /**
   * Whether the exchange has been asked yet: until then an empty list means nothing.
   *
   * @param {boolean} isKnown
   */
  set isKnown(isKnown) {
    const { size } = this.#positions;
    const state = size > 0 ? "list" : isKnown ? "empty" : "loading";
    setAttribute(this, "data-state", state);
    setAttribute(this.#list, "aria-busy", String(state === "loading"));
    const count = state === "loading" ? "" : figureText("position_count", size);
    writeText(part(this, ".panel-count"), count);
  }

  /**
   * How many of the exchange's rows can't be read: with them, an empty list is not "none".
   *
   * @param {number | null | undefined} count
   */
  set unreadableCount(count) {
    this.toggleAttribute("data-unreadable", Boolean(count));
    writeText(part(this, ".panel-unreadable"), unreadableText(count));
  }

  /**
   * What became of a refresh.
   *
   * @param {"idle" | "pending" | "failed"} state
   * @param {string} [message] why it failed
   */
  showRefresh(state, message = "") {
    this.dataset.refresh = state;
    part(this, ".panel-refresh").setAttribute("aria-disabled", String(state === "pending"));
    writeText(part(this, ".panel-failure-text"), message);
  }

  /**
   * Draw what has changed.
   *
   * @param {ReadonlyMap<string, Position>} positions by key
   * @param {Pick<Changes, "keys" | "membership">} changes
   */
  update(positions, { keys, membership }) {
    this.#positions = positions;
    for (const key of keys) {
      const position = positions.get(key);
      if (position) this.#draw(key, position);
    }
    this.#isOrderDue = true;
    if (membership) {
      for (const key of this.#cards.keys()) {
        if (!positions.has(key)) this.#remove(key);
      }
      this.#arrange();
    }
  }

  /**
   * Once a second: ages, and the order if figures have changed it.
   *
   * @param {string | null} updatedAt
   * @param {number} now the server's clock, milliseconds since 1970
   */
  tick(updatedAt, now) {
    writeText(
      part(this, ".panel-age"),
      updatedAt ? `Updated ${age(updatedAt, now)} ago` : "Not updated yet",
    );
    // Cards must not slip away from under a pointer or from a reader who moves by keys.
    const isInUse = this.#list.matches(":hover") || this.#list.querySelector(":focus-visible");
    if (this.#isOrderDue && !isInUse) this.#arrange();
  }

  get #list() {
    return part(this, ".panel-list");
  }

  /** @returns {HTMLSelectElement} */
  get #select() {
    return part(this, "select");
  }

  /** @param {string} key @param {Position} position */
  #draw(key, position) {
    const card = this.#cards.get(key) ?? this.#add(key);
    card.account = this.nameOf(position.account_id);
    card.position = position;
  }

  /** @param {string | null} key */
  #card(key) {
    return key === null ? undefined : this.#cards.get(key);
  }

  /** @param {string} key */
  #add(key) {
    const card = new PositionCard();
    card.markPrice = this.getAttribute("mark-price") ?? "bid";
    card.setAttribute("role", "listitem");
    this.#cards.set(key, card);
    return card;
  }

  /** @param {string} key */
  #remove(key) {
    const card = this.#cards.get(key);
    if (!card) return;
    const neighbour = card.nextElementSibling ?? card.previousElementSibling;
    if (card.contains(document.activeElement) && neighbour instanceof PositionCard) {
      neighbour.link.focus();
    }
    if (this.#stop === card) this.#stop = null;
    card.remove();
    this.#cards.delete(key);
  }

  #arrange() {
    this.#isOrderDue = false;
    const focused = document.activeElement;
    const ordered = inOrder(this.#positions.values(), this.order);
    let place = this.#list.firstElementChild;
    ordered.forEach((position, index) => {
      const card = this.#cards.get(keyOf(position));
      if (!card) return;
      if (card === place) place = place.nextElementSibling;
      else this.#list.insertBefore(card, place);
      setAttribute(card, "aria-setsize", String(ordered.length));
      setAttribute(card, "aria-posinset", String(index + 1));
      setAttribute(card.link, "tabindex", card === this.#stop ? "0" : "-1");
    });
    if (!this.#stop) this.#stopAt(this.#list.firstElementChild);
    this.#card(this.#selected)?.link.setAttribute("aria-current", "true");
    // Moving a node takes the focus from it.
    if (focused instanceof HTMLElement && this.#list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {Element | null} card */
  #stopAt(card) {
    if (!(card instanceof PositionCard)) return;
    this.#stop?.link.setAttribute("tabindex", "-1");
    this.#stop = card;
    card.link.setAttribute("tabindex", "0");
  }

  /** @param {FocusEvent} event */
  #follow(event) {
    if (event.target instanceof Element) this.#stopAt(event.target.closest("[role=listitem]"));
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.#stop) return;
    const cards = [...this.#list.children];
    const here = cards.indexOf(this.#stop);
    const target = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      PageDown: here + PAGE,
      PageUp: here - PAGE,
      Home: 0,
      End: cards.length - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const card = cards[Math.min(Math.max(target, 0), cards.length - 1)];
    if (card instanceof PositionCard) card.link.focus();
  }

  /** @param {string} type @param {unknown} [detail] */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {Element} element @param {string} name @param {string} value */
function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
