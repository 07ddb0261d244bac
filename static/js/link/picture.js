// @ts-check
/**
 * How all accounts stand now: the stream's events taken together.
 */

import { AccountState, keyOf } from "../account_state.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../types.js").Portfolio} Portfolio */
/** @typedef {import("../types.js").PositionClosed} PositionClosed */
/** @typedef {import("../types.js").Snapshot} Snapshot */
/** @typedef {import("../types.js").StreamEvent} StreamEvent */

/**
 * Something that a tab has yet to hear of.
 *
 * @typedef {{kind: "snapshot" | "removed" | "portfolio" | "connection", id: number}
 *   | {kind: "position", id: number, key: string}
 *   | {kind: "closed", id: number, key: string, before: Position, closed: PositionClosed}
 *   | {kind: "sum", environment: string}} News
 */

export class Picture {
  /** @type {Map<number, AccountState>} */
  accounts = new Map();
  /** By environment. @type {Map<string, Portfolio>} */
  sums = new Map();

  /** How far the server's clock is ahead of this one, in milliseconds. */
  #clockOffset = 0;
  /** The newest version of each account. @type {Map<number, number>} */
  #versions = new Map();
  /** Those that this connection has told of. @type {Set<number>} */
  #confirmed = new Set();

  /**
   * Take in one event.
   *
   * @param {StreamEvent} event
   * @param {number} now this computer's clock, milliseconds since 1970
   * @returns {News | null} null if it is nothing new
   */
  apply(event, now) {
    if (event.type === "snapshot") return this.#replace(event, now);
    if (event.type === "account_removed") return this.#remove(event.account_id);
    if (event.type === "portfolio" && event.account_id === null) {
      const environment = event.environment ?? "";
      this.sums.set(environment, event);
      return { kind: "sum", environment };
    }
    // Of an account that is no more there may be late ones.
    const id = event.account_id ?? NaN;
    const account = this.accounts.get(id);
    return account ? this.#change(id, account, event) : null;
  }

  /** There is a new connection, which has told of no account yet. */
  beginConnection() {
    this.#confirmed.clear();
  }

  /**
   * Forget what is gone: nobody tells of accounts that went between two connections.
   *
   * @param {readonly {id: number, environment: string}[]} named those there are, by an answer that
   *   may be older than this connection's news
   * @returns {News[]}
   */
  keepOnly(named) {
    const gone = [...this.accounts.keys()].filter(
      (id) => !this.#confirmed.has(id) && !named.some((account) => account.id === id),
    );
    for (const environment of this.sums.keys()) {
      // Of one account there is none; an old one must not wait for a second.
      const members = named.filter((account) => account.environment === environment);
      if (members.length < 2) this.sums.delete(environment);
    }
    return gone.flatMap((id) => this.#remove(id) ?? []);
  }

  /**
   * An account as the server would tell it now.
   *
   * @param {number} id one of `accounts`
   * @param {number} now
   * @param {(key: string) => boolean} [isTold] positions that are told otherwise
   * @returns {Snapshot}
   */
  snapshot(id, now, isTold = () => false) {
    const account = /** @type {AccountState} */ (this.accounts.get(id));
    const positions = [...account.positions].filter(([key]) => !isTold(key));
    return {
      type: "snapshot",
      account_id: id,
      version: this.#versions.get(id) ?? 0,
      positions: positions.map(([, position]) => position),
      portfolio: account.portfolio,
      connection: account.connection,
      // As of now, so that who takes it in learns how far the server's clock is ahead.
      server_time: new Date(now + this.#clockOffset).toISOString(),
    };
  }

  /** @param {Snapshot} snapshot @param {number} now @returns {News} */
  #replace(snapshot, now) {
    const id = snapshot.account_id;
    this.#clockOffset = Date.parse(snapshot.server_time) - now;
    this.accounts.set(id, new AccountState(snapshot));
    this.#versions.set(id, snapshot.version);
    this.#confirmed.add(id);
    return { kind: "snapshot", id };
  }

  /** @param {number} id @returns {News | null} */
  #remove(id) {
    this.#versions.delete(id);
    this.#confirmed.delete(id);
    return this.accounts.delete(id) ? { kind: "removed", id } : null;
  }

  /**
   * @param {number} id
   * @param {AccountState} account
   * @param {Exclude<StreamEvent, Snapshot>} event
   * @returns {News | null}
   */
  #change(id, account, event) {
    if ("version" in event) this.#rise(id, event.version);
    switch (event.type) {
      case "position":
        return account.update(event) ? { kind: "position", id, key: keyOf(event) } : null;
      case "position_closed": {
        const key = keyOf(event);
        const before = account.positions.get(key);
        if (!account.close(event) || !before) return null;
        return { kind: "closed", id, key, before, closed: event };
      }
      case "portfolio":
        return account.sum(event) ? { kind: "portfolio", id } : null;
      case "connection_status": {
        // It is repeated every 10 s, so that one hears that the stream is alive.
        const isSame = JSON.stringify(account.connection) === JSON.stringify(event);
        account.connection = event;
        return isSame ? null : { kind: "connection", id };
      }
      default:
        return null; // a newer server may say more
    }
  }

  /** @param {number} id @param {number | null} version */
  #rise(id, version) {
    if ((version ?? 0) > (this.#versions.get(id) ?? 0)) this.#versions.set(id, version ?? 0);
  }
}
