// @ts-check
/**
 * The orders in which positions can be listed.
 *
 * What is compared is parsed once for each position as it stands: a position is never changed, it
 * is replaced by a newer one. An order is then cheap enough to be looked at every second.
 */

import { compareDecimals, compareText } from "../decimal.js";
import { expectedAt } from "../words/closing_time.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {keyof typeof ORDERS} Order */

/**
 * @typedef {object} Rule
 * @property {(position: Position) => string | null} of what counts; null when unknown
 * @property {"decimal" | "text" | "name"} as
 * @property {boolean} descending
 */

const names = new Intl.Collator("en");

const ORDERS = /** @type {const} @satisfies {Record<string, Rule>} */ ({
  value: { of: (position) => position.market_value, as: "decimal", descending: true },
  pnl: { of: (position) => position.unrealized_pnl, as: "decimal", descending: true },
  percent: { of: (position) => position.unrealized_pnl_percent, as: "decimal", descending: true },
  day: { of: (position) => position.day_pnl, as: "decimal", descending: true },
  loser: { of: (position) => position.day_pnl, as: "decimal", descending: false },
  mover: { of: (position) => magnitude(position.day_pnl), as: "decimal", descending: true },
  name: { of: (position) => position.title ?? position.ticker, as: "name", descending: false },
  // Instants in UTC of one shape: their order as text is their order in time.
  closing: { of: expectedAt, as: "text", descending: false },
  quantity: { of: (position) => magnitude(position.quantity), as: "decimal", descending: true },
  average: { of: (position) => position.average_price, as: "decimal", descending: true },
  mark: { of: (position) => position.mark, as: "decimal", descending: true },
});

/**
 * @param {unknown} name
 * @returns {name is Order}
 */
export function isOrder(name) {
  return typeof name === "string" && Object.hasOwn(ORDERS, name);
}

/**
 * Positions in one order; what it can't tell apart is ordered by ticker and account, so that
 * nothing jumps. The unknown comes last, whichever way.
 */
export class Sorting {
  #rule;
  #way;
  #keys = /** @type {WeakMap<Position, {text: string | null, number: number}>} */ (new WeakMap());

  /** @param {Order} order @param {boolean} [isReversed] */
  constructor(order, isReversed = false) {
    this.#rule = /** @type {Rule} */ (ORDERS[order]);
    this.#way = this.#rule.descending !== isReversed ? -1 : 1;
  }

  /** @param {Iterable<Position>} positions @returns {Position[]} a new array */
  sorted(positions) {
    const keyed = Array.from(positions, (position) => ({ position, key: this.#key(position) }));
    keyed.sort((a, b) => this.#difference(a.key, b.key) || byName(a.position, b.position));
    return keyed.map(({ position }) => position);
  }

  /** Whether they are so already, which is far cheaper than to sort. @param {Position[]} positions */
  isKept(positions) {
    for (let index = 1; index < positions.length; index += 1) {
      if (this.compare(positions[index - 1], positions[index]) > 0) return false;
    }
    return true;
  }

  /** @param {Position} a @param {Position} b */
  compare(a, b) {
    return this.#difference(this.#key(a), this.#key(b)) || byName(a, b);
  }

  /** @param {{text: string | null, number: number}} a @param {{text: string | null, number: number}} b */
  #difference(a, b) {
    if (a.text === null || b.text === null) return Number(a.text === null) - Number(b.text === null);
    switch (this.#rule.as) {
      case "decimal":
        // Rounded where they have more digits than a double: then the digits themselves decide.
        return this.#way * (a.number - b.number || compareDecimals(a.text, b.text));
      case "text":
        return this.#way * compareText(a.text, b.text);
      case "name":
        return this.#way * names.compare(a.text, b.text);
    }
  }

  /** @param {Position} position */
  #key(position) {
    const known = this.#keys.get(position);
    if (known) return known;
    const text = this.#rule.of(position) ?? null;
    const key = { text, number: text !== null && this.#rule.as === "decimal" ? Number(text) : 0 };
    this.#keys.set(position, key);
    return key;
  }
}

/** @param {string | null} text */
function magnitude(text) {
  return text !== null && text.startsWith("-") ? text.slice(1) : text;
}

/** @param {Position} a @param {Position} b */
function byName(a, b) {
  return compareText(a.ticker, b.ticker) || a.account_id - b.account_id;
}
