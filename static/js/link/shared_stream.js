// @ts-check
/**
 * A tab's end of the one stream: the same to the page as a stream of its own.
 *
 * The stream itself is in a worker. Where there is none, or it does not answer, this tab has one
 * for itself.
 */

import { Life } from "./life.js";
import { lineWithin } from "./line.js";
import { OtherEnd } from "./other_end.js";
import { erase } from "./saved_picture.js";
import { followNews } from "./session_news.js";
import { Switchboard } from "./switchboard.js";
import { addressIn, lineToWorker } from "./worker_line.js";

/** @typedef {import("../types.js").StreamEvent} StreamEvent */
/** @typedef {import("./messages.js").FromTab} FromTab */
/** @typedef {import("./messages.js").ToTab} ToTab */
/** @typedef {import("./messages.js").Port} Port */
/** @typedef {import("./messages.js").NamedAccount} NamedAccount */
/** @typedef {import("./worker_line.js").Address} Address */

/** Figures that are older than this do not pass for live. */
const DOUBT_MS = 15_000;

/** How long leaving may wait for what is kept to be erased. */
const ERASE_MS = 1_000;

/**
 * @typedef {object} Callbacks
 * @property {(events: StreamEvent[], at: number) => void} onEvents states, the newest of each
 *   position once; `at` is the clock that goes with a snapshot's `server_time`
 * @property {() => void} onConnected there is a new connection, or this tab has joined it
 * @property {() => void} onOpen events flow; called once after each loss
 * @property {(heardAt: number | null) => void} onLost no events since that moment, in
 *   milliseconds since 1970; null if there never were any
 * @property {(reason: string) => void} onEnded the session is over, here or by another tab;
 *   `expired`, or what that tab said
 * @property {(why: string | null) => void} onRefused the server refuses the stream, for this
 *   reason; null when that holds no more
 */

/**
 * @typedef {object} Environment
 * @property {Address | null} address
 * @property {typeof lineToWorker} lineToWorker
 * @property {() => Port} ownLine
 * @property {() => Promise<void>} erase
 * @property {Document} document
 * @property {LockManager | undefined} locks
 */

/** Of the last switchboard of this page's own. */
let endNews = () => {};

/** @param {string} user */
function ownSwitchboard(user) {
  const switchboard = new Switchboard(user);
  endNews();
  endNews = followNews(switchboard);
  return switchboard;
}

/** @param {Partial<Environment>} given @returns {Environment} */
function environmentOf(given) {
  const address = given.address === undefined ? addressIn() : given.address;
  return {
    lineToWorker,
    ownLine: () => lineWithin(ownSwitchboard(address?.user ?? "")),
    erase,
    document: globalThis.document,
    locks: globalThis.navigator?.locks,
    ...given,
    address,
  };
}

export class SharedStream {
  #callbacks;
  #environment;
  /** @type {Port | null} */
  #port = null;
  #isShared = false;
  /** @type {NamedAccount[]} */
  #accounts = [];
  /** As it was last told. @type {boolean | null} */
  #isFlowing = null;
  /** @type {number | null} */
  #heardAt = null;
  #worker = new OtherEnd({
    isWatched: () => this.#isVisible,
    ask: () => this.#ask("look"),
    onDead: () => this.#fail(this.#port),
  });
  #life = new Life();
  #erased = () => {};

  /** @param {Callbacks} callbacks @param {Partial<Environment>} [environment] */
  constructor(callbacks, environment = {}) {
    this.#callbacks = callbacks;
    this.#environment = environmentOf(environment);
    const { document } = this.#environment;
    document.addEventListener("visibilitychange", () => this.#showVisibility());
  }

  /** Whether events flow, as far as is known here. */
  get isFlowing() {
    return this.#isFlowing === true;
  }

  get #isVisible() {
    return this.#environment.document.visibilityState === "visible";
  }

  /** Connect; does nothing while connected. */
  open() {
    if (this.#port) return;
    const { address } = this.#environment;
    const port = address && this.#environment.lineToWorker(address, () => this.#fail(port));
    if (port) this.#begin(port, true);
    else this.#begin(this.#environment.ownLine(), false);
  }

  /** Have the stream connect anew, however long the wait was going to be. */
  reconnect() {
    if (!this.#port) return this.open();
    this.#ask("reconnect");
  }

  /**
   * Say which accounts there are, by the server's newest word; what is kept has their names.
   *
   * @param {NamedAccount[]} accounts
   */
  remember(accounts) {
    this.#accounts = accounts;
    this.#say({ say: "accounts", accounts });
  }

  /**
   * Leave the stream; `open` or `reconnect` come back to it.
   *
   * @param {{erase?: boolean, reason?: string}} [options] `erase`: the session is over for this
   *   reason, in all tabs; nothing is kept
   * @returns {Promise<void>} fulfilled once it is erased, or that takes too long
   */
  async close({ erase = false, reason = "expired" } = {}) {
    const port = this.#port;
    if (!erase) {
      this.#say({ say: "bye" });
      this.#hangUp();
      return;
    }
    const tooLong = new Promise((resolve) => setTimeout(resolve, ERASE_MS));
    /** @type {Promise<void>} */
    const byTheOther = new Promise((resolve) => (this.#erased = resolve));
    this.#say({ say: "end", reason });
    // Whoever holds the stream may have gone, or be writing: both erase.
    const erased = Promise.all([port && byTheOther, this.#environment.erase()]);
    await Promise.race([erased, tooLong]);
    if (this.#port === port) this.#hangUp();
  }

  /** @param {Port} port @param {boolean} isShared */
  #begin(port, isShared) {
    this.#port = port;
    this.#isShared = isShared;
    // A page that was put away has not heard what others have.
    const isOld = Date.now() - (this.#heardAt ?? 0) >= DOUBT_MS;
    if (this.#isFlowing && isOld) this.#lose(this.#heardAt);
    port.onmessage = ({ data }) => this.#receive(port, data);
    this.#ask("hello");
    if (!isShared) return;
    this.#life.begin(this.#environment.locks, (name) => port.postMessage({ say: "lock", name }));
  }

  #hangUp() {
    this.#worker.stop();
    this.#life.end();
    if (this.#port) this.#port.onmessage = null;
    if (this.#isShared) this.#port?.close();
    this.#port = null;
  }

  /** @param {FromTab} message */
  #say(message) {
    this.#port?.postMessage(message);
  }

  /** @param {"hello" | "look" | "reconnect"} say what is answered at once */
  #ask(say) {
    if (this.#isShared) this.#worker.asked();
    if (say !== "hello") this.#say({ say });
    else this.#say({ say, isVisible: this.#isVisible, accounts: this.#accounts });
  }

  /** @param {Port} port @param {ToTab} message */
  #receive(port, message) {
    if (port !== this.#port) return;
    this.#worker.heard();
    switch (message.say) {
      case "batch":
        this.#heardAt = message.heardAt ?? this.#heardAt;
        if (message.events.length > 0) this.#callbacks.onEvents(message.events, message.at);
        break;
      case "connected":
        this.#callbacks.onConnected();
        break;
      case "open":
        if (!this.#isFlowing) {
          this.#isFlowing = true;
          this.#callbacks.onOpen();
        }
        break;
      case "lost":
        this.#lose(message.heardAt);
        break;
      case "refused":
        this.#callbacks.onRefused(message.why);
        break;
      case "ended":
        this.#hangUp();
        this.#callbacks.onEnded(message.reason);
        break;
      case "erased":
        this.#erased();
    }
  }

  /** @param {number | null} heardAt */
  #lose(heardAt) {
    if (this.#isFlowing === false) return;
    this.#isFlowing = false;
    this.#callbacks.onLost(heardAt ?? this.#heardAt);
  }

  #showVisibility() {
    this.#say({ say: "visible", isVisible: this.#isVisible });
    if (this.#port && this.#isVisible) this.#ask("look");
  }

  /** The worker is no more, or never was: this tab goes on alone. @param {Port | null} port */
  #fail(port) {
    if (!port || port !== this.#port || !this.#isShared) return;
    this.#life.end();
    if (this.#isFlowing) this.#lose(this.#heardAt);
    this.#begin(this.#environment.ownLine(), false);
    // Or it was only slow, and answers after all.
    port.onmessage = () => this.#rejoin(port);
  }

  /** @param {Port} port the worker's, which this tab has given up */
  #rejoin(port) {
    if (!this.#port || this.#isShared) return;
    // On a new line: on the old one it may still be about to forget this tab.
    port.onmessage = null;
    port.postMessage({ say: "bye" });
    port.close();
    this.close();
    this.open();
  }
}
