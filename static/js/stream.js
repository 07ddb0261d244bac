// @ts-check
/**
 * The server's event stream, kept alive.
 *
 * `EventSource` alone is not enough: an HTTP error closes it for good, it can't tell a signed-out
 * session from a proxy that is down, and its `readyState` stays "open" when the network vanishes.
 */

/** @typedef {import("./types.js").StreamEvent} StreamEvent */

const EVENTS = ["snapshot", "position", "position_closed", "portfolio", "connection_status"];

/** Comments are invisible here, but the connection's state is told every 10 s: silence is death. */
const SILENCE_MS = 45_000;

/** Two such tellings missed: reason enough to connect anew when somebody comes to look. */
const DOUBT_MS = 25_000;

/** The server ends streams now and then; one that is back within this time was never away. */
const GRACE_MS = 2_000;

const MAX_DELAY_MS = 30_000;

/**
 * The wait before a new attempt: about 1, 2, 4, … 30 s, half of it random so that the tabs of a
 * restarted server don't return all at once.
 *
 * @param {number} failures attempts that have failed in a row, at least 1
 * @param {number} random from 0 to 1
 * @returns {number} milliseconds
 */
export function backoffDelay(failures, random) {
  const delay = Math.min(1000 * 2 ** (failures - 1), MAX_DELAY_MS);
  return delay / 2 + (delay / 2) * random;
}

/**
 * @typedef {object} Callbacks
 * @property {(event: StreamEvent) => void} onEvent
 * @property {() => void} onOpen events flow; called once after each loss
 * @property {(heardAt: number | null) => void} onLost no events since that moment, in
 *   milliseconds since 1970; null if there never were any
 * @property {() => void} onEnded the session is over; the stream gives up
 * @property {() => Promise<boolean>} isSignedIn asked when the server refuses the stream
 */

export class PositionStream {
  #url;
  #callbacks;
  #EventSource;
  #random;

  /** @type {EventSource | null} */
  #source = null;
  /** @type {number | null} */
  #heardAt = null;
  #openedAt = 0;
  #failures = 0;
  #isFlowing = false;
  #timers = {
    /** @type {number | undefined} */ silence: undefined,
    /** @type {number | undefined} */ retry: undefined,
    /** @type {number | undefined} */ grace: undefined,
  };

  /**
   * @param {string} url
   * @param {Callbacks} callbacks
   * @param {{EventSource?: typeof EventSource, random?: () => number}} [environment]
   */
  constructor(url, callbacks, environment = {}) {
    this.#url = url;
    this.#callbacks = callbacks;
    this.#EventSource = environment.EventSource ?? globalThis.EventSource;
    this.#random = environment.random ?? Math.random;
  }

  /** Whether events flow, as far as can be known: a computer that slept has heard none. */
  get isFlowing() {
    return this.#isFlowing && Date.now() - (this.#heardAt ?? 0) < DOUBT_MS;
  }

  /** Connect; does nothing while connected or connecting. */
  open() {
    if (!this.#source) this.#connect();
  }

  /** Connect anew at once, whatever the state and however long the wait was going to be. */
  reconnect() {
    this.#failures = 0;
    this.#connect();
  }

  close() {
    this.#disconnect();
    clearTimeout(this.#timers.grace);
    this.#timers.grace = undefined;
  }

  #connect() {
    this.#disconnect();
    const source = new this.#EventSource(this.#url);
    this.#source = source;
    for (const name of EVENTS) source.addEventListener(name, this.#receive);
    source.addEventListener("error", () => this.#fail(source));
    this.#openedAt = Date.now();
    this.#watch(SILENCE_MS);
  }

  #disconnect() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timers.silence);
    clearTimeout(this.#timers.retry);
  }

  /** @param {MessageEvent<string>} message */
  #receive = (message) => {
    this.#heardAt = Date.now();
    if (!this.#isFlowing || this.#timers.grace !== undefined) this.#flow();
    this.#callbacks.onEvent(JSON.parse(message.data));
  };

  #flow() {
    clearTimeout(this.#timers.grace);
    this.#timers.grace = undefined;
    this.#failures = 0;
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    this.#callbacks.onOpen();
  }

  /** @param {EventSource} source */
  async #fail(source) {
    this.#timers.grace ??= setTimeout(() => this.#lose(), GRACE_MS);
    if (source.readyState !== this.#EventSource.CLOSED) return; // the browser tries again itself

    clearTimeout(this.#timers.silence);
    const isSignedIn = await this.#callbacks.isSignedIn();
    if (source !== this.#source) return; // closed or connected anew while we asked
    if (!isSignedIn) {
      this.close();
      this.#callbacks.onEnded();
      return;
    }
    this.#failures += 1;
    const delay = backoffDelay(this.#failures, this.#random());
    this.#timers.retry = setTimeout(() => this.#connect(), delay);
  }

  #lose() {
    this.#timers.grace = undefined;
    this.#isFlowing = false;
    this.#callbacks.onLost(this.#heardAt);
  }

  /**
   * One timer looks back at the last event, rather than each event setting a timer of its own.
   *
   * @param {number} delay
   */
  #watch(delay) {
    this.#timers.silence = setTimeout(() => {
      const silence = Date.now() - Math.max(this.#heardAt ?? 0, this.#openedAt);
      if (silence < SILENCE_MS) {
        this.#watch(SILENCE_MS - silence);
        return;
      }
      clearTimeout(this.#timers.grace);
      this.#lose();
      this.#connect();
    }, delay);
  }
}
