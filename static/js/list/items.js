// @ts-check
/**
 * What the list shows, in which order: positions, and the heads of their events.
 */

import { keyOf } from "../account_state.js";
import { compareDecimals, sumOf } from "../decimal.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../types.js").PositionClosed} PositionClosed */

/**
 * A position in the list; `closed` says what became of one that is no longer open.
 *
 * @typedef {object} Row
 * @property {"position"} kind
 * @property {string} key
 * @property {Position} position
 * @property {PositionClosed | null} closed
 * @property {boolean} isPinned
 *
 * The head of what one account holds of an event; its figures sum all of that, listed under it or not.
 *
 * @typedef {object} Head
 * @property {"event"} kind
 * @property {string} key
 * @property {number} account_id
 * @property {Position[]} positions those under it, in the list's order
 * @property {Position[]} open all that are, those at the top of the list or left out of it too
 * @property {string | null} market_value null if it is for any
 * @property {string | null} unrealized_pnl
 * @property {string | null} day_pnl
 * @property {boolean} isFolded
 *
 * @typedef {Row | Head} Item
 *
 * @typedef {object} Choices
 * @property {import("./orders.js").Sorting} sorting
 * @property {import("./filter.js").Matcher | null} matches null if nothing was typed
 * @property {string | null} smallest positions of less value are left out; null to leave out none
 * @property {boolean} isGrouped
 * @property {ReadonlySet<string>} pinned keys
 * @property {ReadonlySet<string>} folded keys of heads whose positions are not listed
 * @property {(accountId: number) => string} nameOf
 */

/**
 * @param {Iterable<Position>} open
 * @param {Iterable<{position: Position, closed: PositionClosed}>} closed those not yet dismissed
 * @param {Choices} choices
 * @returns {Item[]}
 */
export function itemsOf(open, closed, choices) {
  /** @type {Map<Position, PositionClosed>} */
  const ends = new Map();
  for (const each of closed) ends.set(each.position, each.closed);
  const held = [...open];
  const shown = [...held, ...ends.keys()].filter((position) => isShown(position, choices));
  const rows = choices.sorting.sorted(shown).map((position) => rowOf(position, ends, choices));
  const [pinned, rest] = [rows.filter((row) => row.isPinned), rows.filter((row) => !row.isPinned)];
  return [...pinned, ...(choices.isGrouped ? grouped(rest, held, choices) : rest)];
}

/**
 * The open positions that are listed, as they are now and in their order, those of folded events too.
 *
 * @param {readonly Item[]} items as they were listed
 * @param {(key: string) => Position | undefined} newest undefined of those that are no longer open
 * @returns {Position[]}
 */
export function openOf(items, newest) {
  return items.flatMap((item) => {
    if (item.kind === "position") return item.closed === null ? (newest(item.key) ?? []) : [];
    if (!item.isFolded) return [];
    return item.positions.flatMap((position) => newest(keyOf(position)) ?? []);
  });
}

/**
 * Whether the list still stands, now that figures have changed: the same positions in their order.
 *
 * @param {readonly Item[]} items as they were listed
 * @param {ReadonlyMap<string, Position>} open as they are now, by key
 * @param {Choices} choices
 */
export function isListKept(items, open, choices) {
  const { sorting, isGrouped } = choices;
  // Subtotals and the order of groups follow from all their members: cheaper made anew.
  if (isGrouped || !isChoiceKept(items, open, choices)) return false;
  const now = (/** @type {Item} */ item) =>
    item.kind === "position" ? (open.get(item.key) ?? item.position) : null;
  const pinned = items.filter((item) => item.kind === "position" && item.isPinned);
  const rest = items.slice(pinned.length);
  return [pinned, rest].every((part) =>
    sorting.isKept(part.map(now).filter((position) => position !== null)),
  );
}

/**
 * Whether these are the same things in the same order, whatever their figures.
 *
 * @param {readonly Item[]} items
 * @param {readonly Item[]} newer
 */
export function isSameOrder(items, newer) {
  return items.length === newer.length && items.every(({ key }, index) => key === newer[index].key);
}

/**
 * The items where they stand, the heads with the sums of newer ones.
 *
 * @param {readonly Item[]} items
 * @param {readonly Item[]} newer
 */
export function withSumsOf(items, newer) {
  const heads = new Map(newer.map((item) => [item.key, item]));
  return items.map((item) => (item.kind === "event" ? (heads.get(item.key) ?? item) : item));
}

/**
 * Whether what is left out is what was: a value grows, and a title comes after its position.
 *
 * @param {readonly Item[]} items
 * @param {ReadonlyMap<string, Position>} open
 * @param {Choices} choices
 */
function isChoiceKept(items, open, choices) {
  if (!choices.matches && choices.smallest === null) return true;
  const listed = new Set(items.map(({ key }) => key));
  return [...open].every(([key, position]) => isShown(position, choices) === listed.has(key));
}

/** @param {Position} position @param {Choices} choices */
function isShown(position, { matches, smallest, nameOf, pinned }) {
  if (matches) return matches(position, nameOf(position.account_id));
  if (smallest === null || pinned.has(keyOf(position))) return true;
  // What has no price is not known to be small.
  return position.market_value === null || compareDecimals(position.market_value, smallest) >= 0;
}

/**
 * @param {Position} position
 * @param {ReadonlyMap<Position, PositionClosed>} ends
 * @param {Choices} choices
 * @returns {Row}
 */
function rowOf(position, ends, { pinned }) {
  const key = keyOf(position);
  const closed = ends.get(position) ?? null;
  return { kind: "position", key, position, closed, isPinned: pinned.has(key) };
}

/**
 * Rows under the heads of their events; an event stands where its first row would.
 *
 * Each account has heads of its own: dollars of two environments are not the same, and two accounts
 * may be one at the exchange.
 *
 * @param {Row[]} rows
 * @param {Position[]} held all that is open, listed or not
 * @param {Choices} choices
 * @returns {Item[]}
 */
function grouped(rows, held, { folded }) {
  const open = byEvent(held, (position) => position);
  return [...byEvent(rows, (row) => row.position)].flatMap(([key, members]) => {
    const isFolded = folded.has(key);
    return [headOf(key, members, open.get(key) ?? [], isFolded), ...(isFolded ? [] : members)];
  });
}

/**
 * @template T
 * @param {readonly T[]} all
 * @param {(one: T) => Position} positionOf
 * @returns {Map<string, T[]>} by account and event, in the order of the first of each
 */
function byEvent(all, positionOf) {
  /** @type {Map<string, T[]>} */
  const events = new Map();
  for (const one of all) {
    const { account_id, event_ticker, ticker } = positionOf(one);
    const key = `event/${account_id}/${event_ticker ?? ticker}`;
    const members = events.get(key);
    if (members) members.push(one);
    else events.set(key, [one]);
  }
  return events;
}

/**
 * @param {string} key
 * @param {Row[]} rows of one account
 * @param {Position[]} open
 * @param {boolean} isFolded
 * @returns {Head}
 */
function headOf(key, rows, open, isFolded) {
  const positions = rows.map((row) => row.position);
  return {
    kind: "event",
    key,
    account_id: positions[0].account_id,
    positions,
    open,
    market_value: sumOf(open.map((position) => position.market_value)),
    unrealized_pnl: sumOf(open.map((position) => position.unrealized_pnl)),
    day_pnl: sumOf(open.map((position) => position.day_pnl)),
    isFolded,
  };
}
