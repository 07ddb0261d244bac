// @ts-check
/**
 * Waits for the server to be back. To the page it is what a stream is.
 */

import { ApiError, get } from "../api.js";
import { backoffDelay } from "../stream.js";
import { erased } from "./erasing.js";

const SIGNED_OUT = 401;

/**
 * @typedef {object} Callbacks
 * @property {() => void} onBack the server answers, and the session is good
 * @property {() => void} onEnded the session is over
 * @property {(why: string | null) => void} onLost it can't be reached, or answers with this error
 */

export class ServerWatch {
  /** There is no stream. */
  isFlowing = false;

  #callbacks;
  #ask;
  #random;
  #failures = 0;
  #isAsking = false;
  #isClosed = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {Callbacks} callbacks
   * @param {{ask?: () => Promise<unknown>, random?: () => number}} [environment]
   */
  constructor(callbacks, { ask = () => get("session"), random = Math.random } = {}) {
    this.#callbacks = callbacks;
    this.#ask = ask;
    this.#random = random;
  }

  open() {
    this.reconnect();
  }

  /** Ask at once, however long the wait was going to be. */
  reconnect() {
    this.#isClosed = false;
    this.#failures = 0;
    this.#tryNow();
  }

  /** Nothing is kept by what is shown here, so there is nothing to name. */
  remember() {}

  /**
   * Wait no longer; `open` or `reconnect` go on.
   *
   * @param {{erase?: boolean}} [options] `erase`: the session is over, and nothing is kept of it
   * @returns {Promise<void>} fulfilled once it is erased
   */
  async close({ erase = false } = {}) {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (erase) await erased();
  }

  async #tryNow() {
    clearTimeout(this.#retry);
    if (this.#isAsking) return;
    this.#isAsking = true;
    const error = await this.#failure();
    this.#isAsking = false;
    if (this.#isClosed) return;
    if (error === null) this.#callbacks.onBack();
    else if (error.status === SIGNED_OUT) this.#callbacks.onEnded();
    else this.#fail(error);
  }

  /** @returns {Promise<ApiError | null>} why there is no session to be had; null if there is */
  async #failure() {
    try {
      await this.#ask();
      return null;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  /** @param {ApiError} error */
  #fail({ status, message }) {
    this.#failures += 1;
    const delay = backoffDelay(this.#failures, this.#random());
    this.#retry = setTimeout(() => this.#tryNow(), delay);
    this.#callbacks.onLost(status === 0 ? null : message);
  }
}
