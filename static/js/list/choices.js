// @ts-check
/**
 * What a person has chosen about the list, as it is kept among the preferences.
 */

import { matcher } from "./filter.js";
import { Sorting, isOrder } from "./orders.js";

/** @typedef {import("./orders.js").Order} Order */

/** Of less value than this, in dollars, a position is small. */
const SMALL = "1";

/**
 * @typedef {object} ListPreferences
 * @property {string} order
 * @property {boolean} isReversed
 * @property {boolean} isGrouped
 * @property {boolean} hidesSmall
 * @property {string[]} pinned keys of positions
 * @property {string[]} hiddenColumns
 */

/** @type {ListPreferences} */
export const LIST_DEFAULTS = {
  order: "value",
  isReversed: false,
  isGrouped: false,
  hidesSmall: false,
  pinned: [],
  hiddenColumns: [],
};

export class ListChoices {
  /** @type {ListPreferences} */
  #kept = { ...LIST_DEFAULTS };
  #sorting = new Sorting("value");
  #matches = matcher("");
  #folded = /** @type {Set<string>} */ (new Set());

  /** @returns {Readonly<ListPreferences>} */
  get kept() {
    return this.#kept;
  }

  /** @param {ListPreferences} preferences the rest of them is not looked at */
  take(preferences) {
    for (const name of /** @type {(keyof ListPreferences)[]} */ (Object.keys(LIST_DEFAULTS))) {
      Object.assign(this.#kept, { [name]: preferences[name] });
    }
    if (!isOrder(this.#kept.order)) this.#kept.order = LIST_DEFAULTS.order;
    this.#sorting = new Sorting(this.order, this.#kept.isReversed);
  }

  /** @returns {Order} */
  get order() {
    return isOrder(this.#kept.order) ? this.#kept.order : "value";
  }

  /** Sort so; by what it is sorted already, the other way round. @param {Order} order */
  sortBy(order) {
    const isReversed = order === this.order && !this.#kept.isReversed;
    this.take({ ...this.#kept, order, isReversed });
  }

  set filter(/** @type {string} */ text) {
    this.#matches = matcher(text);
  }

  /** @param {string} key of a position */
  togglePin(key) {
    const { pinned } = this.#kept;
    const others = pinned.filter((each) => each !== key);
    this.#kept.pinned = others.length < pinned.length ? others : [...pinned, key];
  }

  /**
   * Pin these no more: they are gone, and nobody could let go of them.
   *
   * @param {readonly string[]} keys
   * @returns {boolean} whether any was
   */
  unpin(keys) {
    const others = this.#kept.pinned.filter((each) => !keys.includes(each));
    const isAny = others.length < this.#kept.pinned.length;
    this.#kept.pinned = others;
    return isAny;
  }

  /** @param {string} key of an event's head */
  toggleFold(key) {
    if (!this.#folded.delete(key)) this.#folded.add(key);
  }

  /**
   * As `itemsOf` takes them.
   *
   * @param {(accountId: number) => string} nameOf
   * @returns {import("./items.js").Choices}
   */
  for(nameOf) {
    return {
      sorting: this.#sorting,
      matches: this.#matches,
      smallest: this.#kept.hidesSmall ? SMALL : null,
      isGrouped: this.#kept.isGrouped,
      pinned: new Set(this.#kept.pinned),
      folded: this.#folded,
      nameOf,
    };
  }
}
