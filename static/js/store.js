// @ts-check
/**
 * What the page knows, fed event by event and read some ten times a second.
 *
 * The stream carries states, not steps: applying one twice changes nothing, and however many
 * arrive between two drawings, each listener runs once and is told what to draw again. It carries all
 * accounts; `view` says which of them is looked at.
 */

import { AccountState, keyOf } from "./account_state.js";
import { paced } from "./pace.js";

/** @typedef {import("./types.js").Position} Position */
/** @typedef {import("./types.js").Portfolio} Portfolio */
/** @typedef {import("./types.js").PositionClosed} PositionClosed */
/** @typedef {import("./types.js").Snapshot} Snapshot */
/** @typedef {import("./types.js").StreamEvent} StreamEvent */

/**
 * What happened since the last drawing to what is looked at.
 *
 * @typedef {object} Changes
 * @property {Set<string>} keys positions to draw again
 * @property {boolean} membership positions have come or gone
 * @property {boolean} portfolio
 * @property {boolean} connection
 * @property {boolean} accounts accounts have come or gone
 * @property {boolean} elsewhere positions have come in an account that is not looked at
 * @property {End[]} ended
 */

/**
 * A position that is no longer open, as it was last, and what became of it.
 *
 * @typedef {{position: Position, closed: PositionClosed}} End
 */

/** Ten times a second is what an eye reads of figures that change. */
const DRAWN_EVERY_MS = 100;

/** More than anybody wants to look through; the oldest go. */
const MOST_ENDS = 200;

/** @returns {Changes} */
function nothing() {
  return {
    keys: new Set(),
    membership: false,
    portfolio: false,
    connection: false,
    accounts: false,
    elsewhere: false,
    ended: [],
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
  /** What is no longer open and not yet dismissed, by key. @type {Map<string, End>} */
  #ends = new Map();
  /**
   * Of accounts whose positions are unknown for the moment, by id: what they held before and is
   * not told of since.
   *
   * @type {Map<number, Map<string, Position>>}
   */
  #unsure = new Map();
  /** @type {number | null} */
  #view = null;
  #changes = nothing();
  #isScheduled = false;
  #listeners = /** @type {Set<(changes: Changes) => void>} */ (new Set());
  #schedule;
  #atOnce;

  /**
   * @param {(callback: () => void) => void} [schedule] when listeners run; a frame soon
   * @param {(callback: () => void) => void} [atOnce] when they do for what a person did; the next
   *   frame
   */
  constructor(
    schedule = paced(DRAWN_EVERY_MS),
    atOnce = (callback) => requestAnimationFrame(callback),
  ) {
    this.#atOnce = atOnce;
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

  /** The server's clock, milliseconds since 1970. */
  get serverNow() {
    return Date.now() + this.clockOffset;
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

  /** Those of the accounts that are looked at, the oldest first. @returns {End[]} */
  get ends() {
    return [...this.#ends.values()].filter(({ position }) => this.#isViewed(position.account_id));
  }

  /**
   * What became of one that is no longer open and not yet dismissed, looked at or not.
   *
   * @param {string} ticker
   * @param {number | null} accountId null for whichever held it, the last to close first
   * @returns {End | undefined}
   */
  findEnd(ticker, accountId) {
    return [...this.#ends.values()].findLast(
      ({ position }) =>
        position.ticker === ticker && (accountId === null || position.account_id === accountId),
    );
  }

  /** @param {readonly string[]} keys of ends that have been seen */
  dismiss(keys) {
    for (const key of keys) this.#ends.delete(key);
    this.touch();
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
   * What there is of a market, open or no longer: of the first of these accounts that has either.
   *
   * @param {string} ticker
   * @param {readonly (number | null)[]} accountIds null for whichever has it
   * @returns {{position?: Position, end?: End}}
   */
  lookUp(ticker, accountIds) {
    for (const id of accountIds) {
      const position = this.find(ticker, id);
      if (position) return { position };
      const end = this.findEnd(ticker, id);
      if (end) return { end };
    }
    return {};
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
    this.#atOnce(() => this.#tell());
  }

  /** Have the sums drawn, a little later. */
  askForSums() {
    this.#changes.portfolio = true;
    this.#request();
  }

  /** @param {Snapshot} snapshot */
  #replace(snapshot) {
    const id = snapshot.account_id;
    const before = this.accounts.get(id);
    // Even an older version replaces: the server's cache may have been rebuilt.
    this.#forget(before);
    this.#changes.accounts ||= !this.accounts.has(id);
    const account = new AccountState(snapshot);
    this.accounts.set(id, account);
    for (const [key, position] of account.positions) {
      this.#positions.set(key, position);
      this.#ends.delete(key);
    }
    const held = [...(this.#unsure.get(id) ?? []), ...(before?.positions ?? [])];
    this.#unsure.set(id, new Map(held.filter(([key]) => !account.positions.has(key))));
    this.#endUnsure(account, id);
    if (this.#isViewed(id)) this.#markAll();
    else this.#changes.elsewhere = true;
  }

  /**
   * What was held before is gone, if the exchange has been asked: until then nothing told of an
   * account does not mean that it holds nothing.
   *
   * @param {AccountState} account
   * @param {number} id
   */
  #endUnsure({ portfolio }, id) {
    const unsure = this.#unsure.get(id);
    if (!unsure || portfolio.reconciled_at === null) return;
    this.#unsure.delete(id);
    for (const [key, position] of unsure) this.#end(key, position, endedAway(position));
    if (unsure.size > 0 && this.#isViewed(id)) this.#changes.membership = true;
  }

  /** @param {string} key @param {Position} position @param {PositionClosed} closed */
  #end(key, position, closed) {
    this.#ends.set(key, { position, closed });
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > MOST_ENDS) this.#ends.delete(oldest);
  }

  /** @param {number} id */
  #remove(id) {
    const account = this.accounts.get(id);
    if (!account) return;
    this.#forget(account);
    for (const [key, { position }] of this.#ends) {
      if (position.account_id === id) this.#ends.delete(key);
    }
    this.accounts.delete(id);
    this.#unsure.delete(id);
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
        this.#ends.delete(key);
        this.#unsure.get(event.account_id)?.delete(key);
        if (!isViewed) {
          this.#changes.elsewhere ||= isNew;
          return isNew;
        }
        this.#changes.membership ||= isNew;
        this.#changes.keys.add(key);
        return true;
      }
      case "position_closed": {
        const key = keyOf(event);
        const unsure = this.#unsure.get(event.account_id);
        const position = account.positions.get(key) ?? unsure?.get(key);
        const isKnown = account.close(event) || Boolean(unsure?.delete(key));
        if (!isKnown || !position) return false;
        this.#positions.delete(key);
        this.#end(key, position, event);
        if (!isViewed) return false;
        this.#changes.membership = true;
        this.#changes.ended.push({ position, closed: event });
        return true;
      }
      case "portfolio":
        if (!account.sum(event)) return false;
        this.#endUnsure(account, event.account_id ?? NaN);
        if (!isViewed) return false;
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
      this.#tell();
    });
  }

  #tell() {
    const changes = this.#changes;
    this.#changes = nothing();
    for (const listener of this.#listeners) listener(changes);
  }
}

/**
 * A position that was gone when the stream came back: nobody said how.
 *
 * @param {Position} position
 * @returns {PositionClosed}
 */
function endedAway({ account_id, ticker, version }) {
  return { type: "position_closed", account_id, ticker, version, reason: null, realized_pnl: null };
}
