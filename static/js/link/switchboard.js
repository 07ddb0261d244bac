// @ts-check
/**
 * Holds the one stream for any number of tabs: takes its events in, and tells each tab what is new
 * when it is due.
 *
 * It lives in the worker that the tabs share, or in a page that has it for itself.
 */

import { refusalOf } from "../api.js";
import { PositionStream } from "../stream.js";
import { Picture } from "./picture.js";
import * as savedPicture from "./saved_picture.js";
import { Tab } from "./tabs.js";

/** @typedef {import("../types.js").StreamEvent} StreamEvent */
/** @typedef {import("./messages.js").FromTab} FromTab */
/** @typedef {import("./messages.js").ToTab} ToTab */
/** @typedef {import("./messages.js").Port} Port */
/** @typedef {import("./messages.js").NamedAccount} NamedAccount */
/** @typedef {import("./picture.js").News} News */

/** All accounts, whatever is looked at: nothing is missed when that changes. */
const STREAM = "/sse/positions?account=all";

/** Writing thousands of positions is no small work. */
const SAVE_MS = 5_000;

/** Twenty tabs hear at once that the network is back; one new connection serves them all. */
const WISH_MS = 1_000;

/** A clock that has moved this far against the one that never goes back was set. */
const SET_MS = 2_000;

/** Timers take no more. */
const LONGEST_MS = 2 ** 31 - 1;

export class Switchboard {
  #userId;
  #environment;
  #pace;
  #storage;
  /** What is still being written or erased, one after the other. */
  #stored = Promise.resolve();

  /** @type {Map<Port, Tab>} */
  #tabs = new Map();
  /** @type {NamedAccount[]} */
  #accounts = [];
  /** Whether the stream has told of any since it was opened. */
  #hasHeardOfAny = false;
  #picture = new Picture();
  /** @type {PositionStream | null} */
  #stream = null;
  /** How the stream was last said to be; null before anything was. @type {ToTab | null} */
  #state = null;
  #wishedAt = -Infinity;
  /** @type {number | null} */
  #heardAt = null;
  /** How far the clock was ahead of the pace when the server's was last told. @type {number | null} */
  #lead = null;
  #timers = {
    /** @type {number | undefined} */ tell: undefined,
    /** @type {number | undefined} */ save: undefined,
  };
  #tellAt = Infinity;
  /** Why the session is about to end, if somebody is ending it. @type {string | null} */
  #expected = null;

  /**
   * @param {string} userId whose figures they are
   * @param {{EventSource?: typeof EventSource, pace?: () => number,
   *   storage?: {save: typeof savedPicture.save, erase: typeof savedPicture.erase}}} [environment]
   *   `pace` is a clock that never goes back
   */
  constructor(userId, environment = {}) {
    this.#userId = userId;
    this.#environment = environment;
    this.#pace = environment.pace ?? (() => performance.now());
    this.#storage = environment.storage ?? savedPicture;
  }

  /** @param {Port} port a tab's */
  connect(port) {
    port.onmessage = ({ data }) => this.#hear(port, data);
  }

  /** A tab is gone. @param {Port} port */
  forget(port) {
    if (!this.#tabs.delete(port) || this.#tabs.size > 0) return;
    this.#save();
    this.#stop();
  }

  /** @param {Port} port @param {FromTab} message */
  #hear(port, message) {
    const tab = this.#tabs.get(port);
    switch (message.say) {
      case "hello":
        return this.#welcome(port, message.isVisible, message.accounts);
      case "visible":
        if (tab) tab.isVisible = message.isVisible;
        return this.#tell();
      case "look":
        // Timers of a computer that slept are late; the clock is not. After one that was set, only
        // a snapshot tells the server's again, without which old figures look live.
        if (this.#state?.say === "open" && (!this.#stream?.isFlowing || this.#isClockSet)) {
          this.#reconnect();
        }
        return port.postMessage({ say: "here" });
      case "reconnect":
        this.#reconnect();
        return port.postMessage({ say: "here" });
      case "accounts":
        this.#accounts = message.accounts;
        this.#note(this.#picture.keepOnly(message.accounts));
        if (message.accounts.length === 0 && this.#picture.accounts.size === 0) this.#erase();
        return this.#tell();
      case "bye":
        return this.forget(port);
      case "end":
        this.#tabs.delete(port);
        return this.end(message.reason).then(() => port.postMessage({ say: "erased" }));
    }
  }

  /** @param {Port} port @param {boolean} isVisible @param {NamedAccount[]} accounts */
  #welcome(port, isVisible, accounts) {
    this.#tabs.set(port, new Tab(isVisible, this.#picture));
    // A page that comes out of the browser's memory brings old names.
    if (this.#accounts.length === 0) this.#accounts = accounts;
    port.postMessage({ say: "here" });
    if (!this.#stream) this.#start();
    else if (this.#state) port.postMessage(this.#state);
    // Nobody told this tab of what went before it came.
    if (this.#state?.say === "open") port.postMessage({ say: "connected" });
    this.#tell();
  }

  #start() {
    this.#stream = new PositionStream(
      STREAM,
      {
        onEvent: (event) => this.#apply(event),
        onConnected: () => this.#connected(),
        onOpen: () => this.#say({ say: "open" }),
        onLost: (heardAt) => this.#say({ say: "lost", heardAt }),
        onRefused: (why) => this.#sayAll({ say: "refused", why }),
        onEnded: () => this.end(this.#expected ?? "expired"),
        whyRefused: () => refusalOf(STREAM),
      },
      this.#environment,
    );
    this.#wishedAt = this.#pace();
    this.#stream.open();
  }

  /** Nothing is kept that is not followed. */
  #stop() {
    this.#stream?.close();
    this.#stream = this.#state = this.#heardAt = this.#lead = null;
    this.#picture = new Picture();
    this.#accounts = [];
    this.#hasHeardOfAny = false;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers.save = undefined;
    this.#tellAt = Infinity;
  }

  #reconnect() {
    const now = this.#pace();
    if (now - this.#wishedAt < WISH_MS) return;
    this.#wishedAt = now;
    this.#stream?.reconnect();
  }

  /** This computer's, since the server's was last told. */
  get #isClockSet() {
    return this.#lead !== null && Math.abs(Date.now() - this.#pace() - this.#lead) > SET_MS;
  }

  #connected() {
    this.#picture.beginConnection();
    // Who comes to look at a hidden tab later asks then.
    for (const [port, tab] of this.#tabs) {
      if (tab.isVisible) port.postMessage({ say: "connected" });
    }
  }

  /** @param {StreamEvent} event */
  #apply(event) {
    this.#heardAt = Date.now();
    if (event.type === "snapshot") {
      this.#hasHeardOfAny = true;
      this.#lead = this.#heardAt - this.#pace();
    }
    const news = this.#picture.apply(event, this.#heardAt);
    for (const tab of this.#tabs.values()) tab.hear();
    if (news) this.#note([news]);
    this.#tell();
  }

  /** @param {News[]} news */
  #note(news) {
    for (const tab of this.#tabs.values()) news.forEach((each) => tab.note(each));
    if (news.length > 0) this.#timers.save ??= setTimeout(() => this.#save(), SAVE_MS);
  }

  /** Tell each tab what is due, and come back for the rest. */
  #tell() {
    const now = this.#pace();
    let next = Infinity;
    for (const [port, tab] of this.#tabs) {
      if (tab.dueAt <= now) {
        const at = Date.now();
        const events = tab.take(this.#picture, now, at);
        port.postMessage({ say: "batch", events, at, heardAt: this.#heardAt });
      }
      next = Math.min(next, tab.dueAt);
    }
    if (next === this.#tellAt) return;
    this.#tellAt = next;
    clearTimeout(this.#timers.tell);
    if (next === Infinity) return;
    this.#timers.tell = setTimeout(
      () => {
        this.#tellAt = Infinity;
        this.#tell();
      },
      Math.min(Math.ceil(next - now), LONGEST_MS),
    );
  }

  /** @param {ToTab} state which a tab that comes later has to know */
  #say(state) {
    this.#state = state;
    this.#sayAll(state);
  }

  /** @param {ToTab} message */
  #sayAll(message) {
    for (const port of this.#tabs.keys()) port.postMessage(message);
  }

  /**
   * Somebody is about to end the session: if the server says first that it is over, this is why.
   *
   * @param {string | null} reason null: it goes on after all
   */
  expectEnd(reason) {
    this.#expected = reason;
  }

  /**
   * The session is over: no tab shows its figures any more, and nothing is kept.
   *
   * @param {string} reason
   */
  end(reason) {
    this.#expected = null;
    this.#sayAll({ say: "ended", reason });
    this.#tabs.clear();
    this.#stop();
    return this.#erase();
  }

  #erase() {
    this.#stored = this.#stored.then(() => this.#storage.erase());
    return this.#stored;
  }

  #save() {
    clearTimeout(this.#timers.save);
    this.#timers.save = undefined;
    // What was heard then is no newer now, however much later it is written.
    const at = Math.min(this.#heardAt ?? Infinity, Date.now());
    const snapshots = [...this.#picture.accounts.keys()].map((id) => this.#picture.snapshot(id, at));
    if (snapshots.length === 0) {
      // None is left of those there were; before the stream has told of any, what is kept may stand.
      if (this.#hasHeardOfAny) this.#erase();
      return;
    }
    const picture = { accounts: this.#accounts, snapshots, sums: [...this.#picture.sums.values()] };
    this.#stored = this.#stored.then(() => this.#storage.save(this.#userId, picture, at));
  }
}
