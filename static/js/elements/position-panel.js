// @ts-check
import { keyOf } from "../account_state.js";
import { age } from "../format.js";
import { figureText, unreadableText, writeText } from "../figures.js";
import { ListChoices } from "../list/choices.js";
import { isListKept, isSameOrder, itemsOf, openOf, withSumsOf } from "../list/items.js";
import { setHidden } from "./hiding.js";
import { bindListKeys } from "./list_keys.js";
import { Rows, setAttribute } from "./rows.js";
import { bindListView, showListView } from "./list_view.js";
import { Payouts } from "./payouts.js";
import { EventHead } from "./event-head.js";
import { PositionCard } from "./position-card.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../list/items.js").Item} Item */
/** @typedef {import("../list/choices.js").ListPreferences} ListPreferences */
/** @typedef {Iterable<{position: Position, closed: import("../types.js").PositionClosed}>} Ends */

/**
 * The list of positions: cards in a panel, or a table where there is room.
 *
 * Attributes: `mark-price`, the server's `MARK_PRICE`. Events: `refresh`; `choice` when what is
 * listed, or how, was chosen anew (`choices` says what); `select` with a position's key as detail
 * when the keys move to it; `seen` with the keys of closed positions that are dismissed. What it shows comes in by `update`, `tick` and the
 * properties.
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
  /** What is known of an account. @type {(accountId: number) => import("../words/unknown.js").Context} */
  contextOf = () => ({});

  #choices = new ListChoices();
  /** @type {ReadonlyMap<string, Position>} */
  #positions = new Map();
  /** @type {Ends} */
  #ends = [];
  /** @type {readonly Item[]} */
  #items = [];
  #isOrderDue = false;
  #now = 0;
  /** @type {string | null} */
  #selected = null;
  /** @type {ReadonlySet<number>} */
  #stale = new Set();
  /** @type {Payouts | null} */
  #payouts = null;
  /** @type {Rows | null} */
  #rows = null;
  #lifetime = new AbortController();

  connectedCallback() {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    this.#rows = new Rows(this.#list, part(this, ".panel-list"), this.#kinds());
    this.#rows.connect(signal);
    bindListKeys(this, this.#rows, signal);
    bindListView(this, this.#choices, () => this.#chosen(), signal);
    this.#on("refresh", () => this.dataset.refresh !== "pending" && this.#dispatch("refresh"));
    this.#on("dismiss-all", () => this.#dismiss(this.#endedKeys()));
    this.#list.addEventListener("pin", (event) => this.pin(keyAt(event)), { signal });
    this.#list.addEventListener("dismiss", (event) => this.dismiss(keyAt(event)), { signal });
    this.#list.addEventListener("fold", (event) => this.#fold(event), { signal });
    this.#list.addEventListener("payouts", ({ target }) => this.showPayouts(target), { signal });
    this.#payouts = new Payouts(part(this, "#payouts"), () => this.#positions, signal);
  }

  disconnectedCallback() {
    this.#lifetime.abort();
  }

  /** Focus the card that Tab would reach. */
  focusCard() {
    this.#rows?.focusAt(this.#rows.here);
  }

  /** Have the first of those that were looked for shown in full. */
  chooseFirst() {
    this.#rows?.focusAt(0);
    this.follow();
  }

  /** Let the detail show the row that Tab reaches. */
  follow() {
    const card = this.#rows?.element(this.#rows.stop);
    if (!(card instanceof PositionCard)) return;
    this.dispatchEvent(new CustomEvent("select", { detail: card.row?.key }));
  }

  /** What is chosen, to be kept. @returns {Readonly<ListPreferences>} */
  get choices() {
    return this.#choices.kept;
  }

  set choices(preferences) {
    this.#choices.take(preferences);
    showListView(this, this.#choices);
    this.#arrange();
  }

  /** The open position that is listed first, if any. @returns {Position | undefined} */
  get first() {
    const item = this.#items.find((each) => each.kind === "position" && each.closed === null);
    return item?.kind === "position" ? item.position : undefined;
  }

  /** All open positions that are listed, in sight or not, in their order. @returns {Position[]} */
  get listed() {
    return openOf(this.#items, (key) => this.#positions.get(key));
  }

  /** The key of the position whose detail is shown. */
  set selected(/** @type {string | null} */ key) {
    const before = this.#selected;
    this.#selected = key;
    this.#rows?.refill([before, key].filter((each) => each !== null));
  }

  /** Keep a position at the top, or not any more. @param {string | null} key */
  pin(key) {
    if (key === null || !this.#positions.has(key)) return;
    this.#choices.unpin(this.#gonePins());
    this.#choices.togglePin(key);
    this.#chosen();
  }

  /** @param {string | null} key of one that is no longer open */
  dismiss(key) {
    if (key !== null && this.#endedKeys().includes(key)) this.#dismiss([key]);
  }

  /** @param {string[]} keys of what is no longer open */
  #dismiss(keys) {
    if (this.#choices.unpin(keys)) this.#dispatch("choice");
    this.#dispatch("seen", keys);
  }

  /** From a button that is gone: to the list, if anything is left of it. */
  #goOn() {
    if (this.#items.length > 0) this.focusCard();
    else this.focus({ preventScroll: true });
  }

  /**
   * The accounts whose figures must not look live.
   *
   * @param {ReadonlySet<number>} accountIds
   */
  showStale(accountIds) {
    this.#stale = accountIds;
    for (const [, element] of this.#rows?.elements() ?? []) {
      if (element instanceof PositionCard) this.#mark(element);
      if (element instanceof EventHead) this.#markHead(element);
    }
  }

  /**
   * Whether the exchange has been asked yet: until then an empty list means nothing.
   *
   * @param {boolean} isKnown
   */
  set isKnown(isKnown) {
    const { size } = this.#positions;
    const isList = size > 0 || this.#endedKeys().length > 0;
    const state = isList ? "list" : isKnown ? "empty" : "loading";
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
   * @param {Ends} ends what is no longer open and not yet dismissed
   * @param {Pick<import("../store.js").Changes, "keys" | "membership">} changes
   */
  update(positions, ends, { keys, membership }) {
    this.#positions = positions;
    this.#ends = ends;
    this.#isOrderDue = true;
    if (membership) this.#arrange();
    else this.#rows?.refill(keys);
    this.#payouts?.update();
    this.#endFlashes();
  }

  /**
   * Once a second: ages, and the order if figures have changed it.
   *
   * @param {string | null} updatedAt
   * @param {number} now the server's clock, milliseconds since 1970
   */
  tick(updatedAt, now) {
    const text = updatedAt ? `Updated ${age(updatedAt, now)} ago` : "Not updated yet";
    writeText(part(this, ".panel-age-text"), text);
    this.#now = now;
    this.#endFlashes();
    for (const [, element] of this.#rows?.elements() ?? []) {
      if (element instanceof PositionCard) element.tick(now);
    }
    if (!this.#isOrderDue) return;
    const choices = this.#choices.for(this.nameOf);
    if (isListKept(this.#items, this.#positions, choices)) {
      this.#isOrderDue = false;
      this.#hold(false);
      return;
    }
    // Cards must not slip away from under a pointer or from a reader who moves by keys.
    const isInUse = this.#list.matches(":hover") || this.#list.querySelector(":focus-visible");
    if (!isInUse) this.#arrange();
    else if (choices.isGrouped) this.#sumInPlace(choices);
    else this.#hold(true);
  }

  /**
   * Sums go on under a pointer as their parts do, and only an order that changes is held.
   *
   * @param {import("../list/items.js").Choices} choices
   */
  #sumInPlace(choices) {
    const newer = itemsOf(this.#positions.values(), this.#ends, choices);
    const isKept = isSameOrder(this.#items, newer);
    this.#isOrderDue = !isKept;
    this.#hold(!isKept);
    this.#listAs(isKept ? newer : withSumsOf(this.#items, newer));
  }

  get #list() {
    return part(this, ".panel-rows");
  }

  #endFlashes() {
    const now = performance.now();
    for (const [, element] of this.#rows?.elements() ?? []) {
      if (element instanceof PositionCard) element.endFlash(now);
    }
  }

  /** @param {boolean} isHeld */
  #hold(isHeld) {
    part(this, ".panel-held").hidden = !isHeld;
  }

  #kinds() {
    return {
      position: {
        make: () => {
          const card = new PositionCard();
          card.markPrice = this.getAttribute("mark-price") ?? "bid";
          return card;
        },
        fill: (/** @type {PositionCard} */ card, /** @type {import("../list/items.js").Row} */ row) => {
          const { account_id } = row.position;
          const newest = row.closed ? undefined : this.#positions.get(row.key);
          card.account = this.nameOf(account_id);
          card.context = this.contextOf(account_id);
          card.row = newest && newest !== row.position ? { ...row, position: newest } : row;
          if (this.#now > 0) card.tick(this.#now);
          this.#mark(card);
        },
        link: (/** @type {PositionCard} */ card) => card.link,
      },
      event: {
        make: () => new EventHead(),
        fill: (/** @type {EventHead} */ element, /** @type {import("../list/items.js").Head} */ head) => {
          element.account = this.nameOf(head.account_id);
          element.context = this.contextOf(head.account_id);
          element.head = head;
          this.#markHead(element);
        },
        link: (/** @type {EventHead} */ element) => element.link,
      },
    };
  }

  /** @param {PositionCard} card */
  #mark(card) {
    if (!card.row) return;
    card.toggleAttribute("data-stale", this.#stale.has(card.row.position.account_id));
    if (card.row.key === this.#selected) setAttribute(card.link, "aria-current", "true");
    else if (card.link.hasAttribute("aria-current")) card.link.removeAttribute("aria-current");
  }

  /** @param {EventHead} element */
  #markHead(element) {
    element.toggleAttribute("data-stale", this.#stale.has(element.head?.account_id ?? NaN));
  }

  #arrange() {
    this.#isOrderDue = false;
    this.#hold(false);
    this.#listAs(itemsOf(this.#positions.values(), this.#ends, this.#choices.for(this.nameOf)));
    const isNone = this.#items.length === 0 && this.#positions.size > 0;
    part(this, ".panel-none").hidden = !isNone;
    setHidden(part(this, ".panel-dismiss"), this.#endedKeys().length === 0, () => this.#goOn());
  }

  /** @param {readonly Item[]} items */
  #listAs(items) {
    this.#items = items;
    if (this.#rows) this.#rows.items = items;
  }

  #chosen() {
    showListView(this, this.#choices);
    this.#arrange();
    this.#dispatch("choice");
  }

  /** @param {Event} event */
  #fold({ target }) {
    if (!(target instanceof EventHead) || !target.head) return;
    this.#choices.toggleFold(target.head.key);
    this.#arrange();
  }

  /** What all that an account holds of an event pays at each outcome. @param {EventTarget | null | undefined} head */
  showPayouts(head) {
    if (head instanceof EventHead && head.head) this.#payouts?.show(head.name, head.head.positions[0]);
  }

  /** Pinned, and gone while nobody looked: its account holds something, but not this any more. */
  #gonePins() {
    const accounts = new Set([...this.#positions.values()].map(({ account_id }) => String(account_id)));
    const listed = new Set([...this.#positions.keys(), ...this.#endedKeys()]);
    const isGone = (/** @type {string} */ key) => accounts.has(key.split("/")[0]) && !listed.has(key);
    return this.#choices.kept.pinned.filter(isGone);
  }

  #endedKeys() {
    return [...this.#ends].map(({ position }) => keyOf(position));
  }

  /** @param {string} action @param {() => void} act */
  #on(action, act) {
    const { signal } = this.#lifetime;
    for (const button of this.querySelectorAll(`[data-action=${action}]`)) {
      button.addEventListener("click", act, { signal });
    }
  }

  /** @param {string} type @param {unknown} [detail] */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The key of the row in which something happened. @param {Event} event */
function keyAt({ target }) {
  return target instanceof PositionCard ? (target.row?.key ?? null) : null;
}
