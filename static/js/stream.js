// @ts-check
/**
 * The server's event stream, kept alive.
 *
 * `EventSource` alone is not enough: an HTTP error closes it for good, it can't tell a signed-out
 * session from a proxy that is down, its `readyState` stays "open" when the network vanishes, and
 * its own attempts come at one even pace. So here each connection is tried once, and we retry.
 *
 * Until it is closed, a stream always has a timer that leads to the next attempt: `silence` while
 * there is a connection, `retry` while there is none. Nothing that may hang comes before them.
 */

/** @typedef {import("./types.js").StreamEvent} StreamEvent */

const EVENTS = [
  "snapshot",
  "position",
  "position_closed",
  "portfolio",
  "connection_status",
  "account_removed",
];

/**
 * Comments are invisible here, but the connection's state is told every 10 s. Without a word for
 * this long, the figures may no longer pass for live.
 */
const DOUBT_MS = 15_000;

/** A connection without a word for this long is dead: two tellings are missing. */
const DEAD_MS = 25_000;

/** The server ends streams now and then; one that is back within this time was never away. */
const GRACE_MS = 2_000;

const MAX_DELAY_MS = 5_000;

/** The status that says that the session is over. */
const SIGNED_OUT = 401;

/**
 * The wait before a new attempt: about 1, 2, 4, then 5 s, half of it random so that the tabs of a
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
 * @property {() => void} onConnected there is a new connection, whether or not the last was missed
 * @property {() => void} onOpen events flow; called once after each loss
 * @property {(heardAt: number | null) => void} onLost no events since that moment, in
 *   milliseconds since 1970; null if there never were any
 * @property {() => void} onEnded the session is over; the stream gives up
 * @property {(why: string | null) => void} onRefused the server refuses the stream, for this
 *   reason; null when that holds no more
 * @property {() => Promise<{status: number, message: string} | null>} whyRefused asked when it
 *   does; attempts go on meanwhile, however long it takes
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
  /** Whether events flow, as was last told; null before anything was. @type {boolean | null} */
  #isFlowing = null;
  /** Raised by what makes an open question about the session void: events, and wishes. */
  #era = 0;
  /** Whether a reason was told that may hold still. */
  #isRefused = false;
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
    return this.#isFlowing === true && Date.now() - (this.#heardAt ?? 0) < DOUBT_MS;
  }

  /** Connect; does nothing while connected, connecting or about to. */
  open() {
    if (!this.#source) this.#connect();
  }

  /** Connect anew at once, whatever the state and however long the wait was going to be. */
  reconnect() {
    this.#era += 1;
    this.#failures = 0;
    this.#connect();
  }

  close() {
    this.#era += 1;
    this.#disconnect();
    clearTimeout(this.#timers.grace);
    this.#timers.grace = undefined;
  }

  #connect() {
    this.#disconnect();
    const source = new this.#EventSource(this.#url);
    this.#source = source;
    for (const name of EVENTS) source.addEventListener(name, this.#receive);
    source.addEventListener("open", () => source === this.#source && this.#callbacks.onConnected());
    source.addEventListener("error", () => this.#fail(source));
    this.#openedAt = Date.now();
    this.#watch();
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
    this.#era += 1;
    this.#failures = 0;
    this.#withdrawRefusal();
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    this.#callbacks.onOpen();
  }

  /** @param {EventSource} source */
  #fail(source) {
    if (source !== this.#source) return;
    const isRefused = source.readyState === this.#EventSource.CLOSED;
    source.close(); // or the browser would try again as well
    clearTimeout(this.#timers.silence);
    this.#failures += 1;
    const delay = backoffDelay(this.#failures, this.#random());
    this.#timers.retry = setTimeout(() => this.#connect(), delay);
    this.#timers.grace ??= setTimeout(() => this.#lose(), GRACE_MS);
    if (isRefused) this.#askWhy();
    else this.#withdrawRefusal();
  }

  async #askWhy() {
    const era = this.#era;
    const refusal = await this.#callbacks.whyRefused();
    if (!refusal || era !== this.#era) return;
    if (refusal.status !== SIGNED_OUT) {
      this.#isRefused = true;
      this.#callbacks.onRefused(refusal.message);
      return;
    }
    this.close();
    this.#callbacks.onEnded();
  }

  /** What was a reason once must not be given for a later loss, or another. */
  #withdrawRefusal() {
    if (!this.#isRefused) return;
    this.#isRefused = false;
    this.#callbacks.onRefused(null);
  }

  #lose() {
    clearTimeout(this.#timers.grace);
    this.#timers.grace = undefined;
    if (this.#isFlowing === false) return;
    this.#isFlowing = false;
    this.#callbacks.onLost(this.#heardAt);
  }

  /** Looks back at the last event now and then, rather than each event setting a timer. */
  #watch() {
    const now = Date.now();
    // A clock that was set back must not lengthen the silence.
    this.#openedAt = Math.min(this.#openedAt, now);
    if (this.#heardAt !== null) this.#heardAt = Math.min(this.#heardAt, now);
    const unheard = now - (this.#heardAt ?? this.#openedAt);
    const silence = Math.min(unheard, now - this.#openedAt); // of this connection
    if (silence >= DEAD_MS) {
      this.#connect();
      this.#lose();
      return;
    }
    const isDoubtful = unheard >= DOUBT_MS;
    const delay = isDoubtful ? DEAD_MS - silence : DOUBT_MS - unheard;
    this.#timers.silence = setTimeout(() => this.#watch(), delay);
    if (isDoubtful) this.#lose();
  }
}
