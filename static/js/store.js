// @ts-check
/**
 * What the page knows of the account, fed event by event and read once per frame.
 *
 * The stream carries states, not steps: applying one twice changes nothing, and however many
 * arrive between two frames, each listener runs once and is told what to draw again.
 */

/** @typedef {import("./types.js").Position} Position */
/** @typedef {import("./types.js").Portfolio} Portfolio */
/** @typedef {import("./types.js").ConnectionStatus} ConnectionStatus */
/** @typedef {import("./types.js").PositionClosed} PositionClosed */
/** @typedef {import("./types.js").Snapshot} Snapshot */
/** @typedef {import("./types.js").StreamEvent} StreamEvent */

/**
 * What happened since the last frame.
 *
 * @typedef {object} Changes
 * @property {Set<string>} tickers positions to draw again
 * @property {boolean} membership positions have come or gone
 * @property {boolean} portfolio
 * @property {boolean} connection
 * @property {PositionClosed[]} closed
 */

/** @returns {Changes} */
function nothing() {
  return {
    tickers: new Set(),
    membership: false,
    portfolio: false,
    connection: false,
    closed: [],
  };
}

export class Store {
  /** @type {Map<string, Position>} */
  positions = new Map();
  /** @type {Portfolio | null} null until the first snapshot */
  portfolio = null;
  /** @type {ConnectionStatus | null} null until the first snapshot */
  connection = null;
  /** How far the server's clock is ahead of this one, in milliseconds. */
  clockOffset = 0;

  /** Newest version per ticker, of closed ones too: a late event must not bring them back. */
  #versions = /** @type {Map<string, number>} */ (new Map());
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
    switch (event.type) {
      case "snapshot":
        this.clockOffset = Date.parse(event.server_time) - now;
        this.#replace(event);
        break;
      case "position":
        this.#update(event);
        break;
      case "position_closed":
        this.#close(event);
        break;
      case "portfolio":
        if (this.portfolio && event.version < this.portfolio.version) return;
        this.portfolio = event;
        this.#changes.portfolio = true;
        break;
      case "connection_status":
        this.connection = event;
        this.#changes.connection = true;
        break;
      default:
        return; // a newer server may say more
    }
    this.#request();
  }

  /** Have everything drawn again, as when the way of writing figures has changed. */
  touch() {
    this.#markAll();
    this.#request();
  }

  /** @param {Snapshot} snapshot */
  #replace(snapshot) {
    // Even an older version replaces: the server's cache may have been rebuilt.
    this.positions = new Map(snapshot.positions.map((each) => [each.ticker, each]));
    this.#versions = new Map(snapshot.positions.map((each) => [each.ticker, each.version]));
    this.portfolio = snapshot.portfolio;
    this.connection = snapshot.connection;
    this.#markAll();
  }

  /** @param {Position} position */
  #update(position) {
    const { ticker, version } = position;
    if (this.#isOlder(ticker, version)) return;
    if (!this.positions.has(ticker)) this.#changes.membership = true;
    this.positions.set(ticker, position);
    this.#versions.set(ticker, version);
    this.#changes.tickers.add(ticker);
  }

  /** @param {PositionClosed} closed */
  #close(closed) {
    const { ticker, version } = closed;
    if (this.#isOlder(ticker, version)) return;
    this.#versions.set(ticker, version);
    if (!this.positions.delete(ticker)) return;
    this.#changes.membership = true;
    this.#changes.closed.push(closed);
  }

  /** @param {string} ticker @param {number} version */
  #isOlder(ticker, version) {
    return version < (this.#versions.get(ticker) ?? -Infinity);
  }

  #markAll() {
    for (const ticker of this.positions.keys()) this.#changes.tickers.add(ticker);
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
