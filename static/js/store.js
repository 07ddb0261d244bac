// @ts-check
/**
 * What the page knows, fed event by event and read once per frame.
 *
 * The stream carries states, not steps: applying one twice changes nothing, and however many
 * arrive between two frames, each listener runs once and is told what to draw again. It carries all
 * accounts; `view` says which of them is looked at.
 */

import { AccountState, keyOf } from "./account_state.js";

/** @typedef {import("./types.js").Position} Position */
/** @typedef {import("./types.js").Portfolio} Portfolio */
/** @typedef {import("./types.js").PositionClosed} PositionClosed */
/** @typedef {import("./types.js").Snapshot} Snapshot */
/** @typedef {import("./types.js").StreamEvent} StreamEvent */

/**
 * What happened since the last frame to what is looked at.
 *
 * @typedef {object} Changes
 * @property {Set<string>} keys positions to draw again
 * @property {boolean} membership positions have come or gone
 * @property {boolean} portfolio
 * @property {boolean} connection
 * @property {boolean} accounts accounts have come or gone
 * @property {PositionClosed[]} closed
 */

/** @returns {Changes} */
function nothing() {
  return {
    keys: new Set(),
    membership: false,
    portfolio: false,
    connection: false,
    accounts: false,
    closed: [],
  };
}

export class Store {
  /** By id, in the order in which they came. @type {Map<number, AccountState>} */
  accounts = new Map();
  /** What the server made of several accounts, by environment. @type {Map<string, Portfolio>} */
  sums = new Map();
  /** How far the server's clock is ahead of this one, in milliseconds. */
  clockOffset = 0;

  /** Of all accounts, by key. @type {Map<string, Position>} */
  #positions = new Map();
  /** @type {number | null} */
  #view = null;
  #changes = nothing();
  #isScheduled = false;
  #listeners = /** @type {Set<(changes: Changes) => void>} */ (new Set());
  #schedule;

  /**
   * @param {(callback: () => void) => void} [schedule] when listeners run; the next frame
   */
  constructor(schedule = (callback) => requestAnimationFrame(callback)) {
    this.#schedule = schedule;
  }

  /** The account that is looked at; null for all of them. @type {number | null} */
  get view() {
    return this.#view;
  }

  set view(view) {
    this.#view = view;
    this.touch();
  }

  /** Those that are looked at. @returns {AccountState[]} */
  get viewed() {
    if (this.#view === null) return [...this.accounts.values()];
    const account = this.accounts.get(this.#view);
    return account ? [account] : [];
  }

  /** Their positions, by key. @returns {ReadonlyMap<string, Position>} */
  get positions() {
    if (this.#view === null) return this.#positions;
    return this.accounts.get(this.#view)?.positions ?? new Map();
  }

  /**
   * What an account holds of a market, looked at or not.
   *
   * @param {string} ticker
   * @param {number | null} accountId null for whichever holds it, first of those looked at
   * @returns {Position | undefined}
   */
  find(ticker, accountId) {
    const looked = this.#view === null ? [] : [this.#view];
    const ids = accountId === null ? [...looked, ...this.accounts.keys()] : [accountId];
    for (const id of ids) {
      const position = this.#positions.get(keyOf({ account_id: id, ticker }));
      if (position) return position;
    }
    return undefined;
  }

  /**
   * @param {(changes: Changes) => void} listener
   * @returns {() => void} ends the subscription
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Take in one event of the stream.
   *
   * @param {StreamEvent} event
   * @param {number} [now] this computer's clock, milliseconds since 1970
   */
  apply(event, now = Date.now()) {
    if (event.type === "snapshot") {
      this.clockOffset = Date.parse(event.server_time) - now;
      this.#replace(event);
    } else if (event.type === "account_removed") {
      this.#remove(event.account_id);
    } else if (event.type === "portfolio" && event.account_id === null) {
      this.sums.set(event.environment ?? "", event);
      this.#changes.portfolio = true;
    } else {
      // Of an account that is no more there may be late ones.
      const account = this.accounts.get(event.account_id ?? NaN);
      if (!account || !this.#change(account, event)) return;
    }
    this.#request();
  }

  /**
   * Forget those of these accounts that are no more: while the stream is down nobody tells.
   *
   * @param {Iterable<number>} ids
   */
  drop(ids) {
    for (const id of ids) this.apply({ type: "account_removed", account_id: id });
  }

  /** Have everything drawn again, as when the way of writing figures has changed. */
  touch() {
    this.#markAll();
    this.#request();
  }

  /** @param {Snapshot} snapshot */
  #replace(snapshot) {
    const id = snapshot.account_id;
    // Even an older version replaces: the server's cache may have been rebuilt.
    this.#forget(this.accounts.get(id));
    this.#changes.accounts ||= !this.accounts.has(id);
    const account = new AccountState(snapshot);
    this.accounts.set(id, account);
    for (const [key, position] of account.positions) this.#positions.set(key, position);
    if (this.#isViewed(id)) this.#markAll();
  }

  /** @param {number} id */
  #remove(id) {
    const account = this.accounts.get(id);
    if (!account) return;
    this.#forget(account);
    this.accounts.delete(id);
    this.#changes.accounts = true;
    this.#markAll();
  }

  /** @param {AccountState | undefined} account */
  #forget(account) {
    for (const key of account?.positions.keys() ?? []) this.#positions.delete(key);
  }

  /**
   * @param {AccountState} account
   * @param {Exclude<StreamEvent, Snapshot>} event
   * @returns {boolean} whether there is anything to draw
   */
  #change(account, event) {
    const isViewed = this.#isViewed(event.account_id ?? NaN);
    switch (event.type) {
      case "position": {
        const key = keyOf(event);
        const isNew = !account.positions.has(key);
        if (!account.update(event)) return false;
        this.#positions.set(key, event);
        if (!isViewed) return false;
        this.#changes.membership ||= isNew;
        this.#changes.keys.add(key);
        return true;
      }
      case "position_closed":
        if (!account.close(event)) return false;
        this.#positions.delete(keyOf(event));
        if (!isViewed) return false;
        this.#changes.membership = true;
        this.#changes.closed.push(event);
        return true;
      case "portfolio":
        if (!account.sum(event) || !isViewed) return false;
        this.#changes.portfolio = true;
        return true;
      case "connection_status":
        account.connection = event;
        this.#changes.connection = true;
        return true;
      default:
        return false; // a newer server may say more
    }
  }

  /** @param {number} id */
  #isViewed(id) {
    return this.#view === null || this.#view === id;
  }

  #markAll() {
    for (const key of this.positions.keys()) this.#changes.keys.add(key);
    this.#changes.membership = true;
    this.#changes.portfolio = true;
    this.#changes.connection = true;
  }

  #request() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      const changes = this.#changes;
      this.#changes = nothing();
      for (const listener of this.#listeners) listener(changes);
    });
  }
}
