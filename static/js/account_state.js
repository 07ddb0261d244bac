// @ts-check
/**
 * What the page knows of one account.
 *
 * Versions are the account's own: those of two accounts say nothing about each other.
 */

/** @typedef {import("./types.js").Position} Position */
/** @typedef {import("./types.js").Portfolio} Portfolio */
/** @typedef {import("./types.js").ConnectionStatus} ConnectionStatus */
/** @typedef {import("./types.js").PositionClosed} PositionClosed */
/** @typedef {import("./types.js").Snapshot} Snapshot */

/**
 * What tells a position from all others: two accounts may hold the same market.
 *
 * @param {{account_id: number, ticker: string}} position
 */
export function keyOf({ account_id, ticker }) {
  return `${account_id}/${ticker}`;
}

export class AccountState {
  /** Those it holds, by key. @type {Map<string, Position>} */
  positions = new Map();
  /** @type {Portfolio} */
  portfolio;
  /** @type {ConnectionStatus} */
  connection;

  /** Newest version by key, of closed ones too: a late event must not bring them back. */
  #versions = /** @type {Map<string, number>} */ (new Map());

  /** @param {Snapshot} snapshot */
  constructor({ positions, portfolio, connection }) {
    for (const position of positions) {
      this.positions.set(keyOf(position), position);
      this.#versions.set(keyOf(position), position.version);
    }
    this.portfolio = portfolio;
    this.connection = connection;
  }

  /** @param {Position} position @returns {boolean} false if it is old */
  update(position) {
    const key = keyOf(position);
    if (this.#isOlder(key, position.version)) return false;
    this.positions.set(key, position);
    this.#versions.set(key, position.version);
    return true;
  }

  /** @param {PositionClosed} closed @returns {boolean} false if there is none to close */
  close(closed) {
    const key = keyOf(closed);
    if (this.#isOlder(key, closed.version)) return false;
    this.#versions.set(key, closed.version);
    return this.positions.delete(key);
  }

  /** @param {Portfolio} portfolio @returns {boolean} false if it is old */
  sum(portfolio) {
    const [before, after] = [this.portfolio.version, portfolio.version];
    if (before !== null && after !== null && after < before) return false;
    this.portfolio = portfolio;
    return true;
  }

  /** @param {string} key @param {number} version */
  #isOlder(key, version) {
    return version < (this.#versions.get(key) ?? -Infinity);
  }
}
