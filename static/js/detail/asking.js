// @ts-check
/**
 * One question to the server at a time, about what is looked at now.
 *
 * Whoever steps through a list asks about where they stop: what is wanted must stay wanted for a
 * moment before it is asked for, and the question before it is given up. What is known is not asked
 * for again unless it is said to have changed. A failure that may pass is followed by another try.
 */

import { ApiError, get } from "../api.js";

/**
 * What is known: nothing while it is loading for the first time; after a failure what was known
 * before, if anything.
 *
 * @typedef {object} Known
 * @property {any} answer undefined while there is none
 * @property {number} askedAt when it was asked for, by `performance.now()`; what was done since it
 *   may not know
 * @property {ApiError | null} error why there is none newer
 * @property {boolean} isLoading
 */

const SETTLE_MS = 80;

/** How long the first failure is left alone, and at most one of many in a row. */
const AGAIN_MS = 5_000;
const LONGEST_AGAIN_MS = 60_000;

const TOO_MANY = 429;

export class Asking {
  /** @type {string | null} */
  #path = null;
  /** @type {any} */
  #answer;
  #askedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {AbortController | null} */
  #question = null;
  #hasChanged = false;
  /** Failures in a row. */
  #failures = 0;
  #show;
  #ask;

  /**
   * @param {(known: Known) => void} show
   * @param {(path: string, signal: AbortSignal) => Promise<any>} [ask]
   */
  constructor(show, ask = get) {
    this.#show = show;
    this.#ask = ask;
  }

  /**
   * @param {string | null} path what is to be known; null for nothing
   */
  want(path) {
    if (path === this.#path) return;
    this.#leave(path);
    this.#answer = undefined;
    if (path === null) return;
    this.#show({ answer: undefined, askedAt: -Infinity, error: null, isLoading: true });
    this.#timer = setTimeout(() => this.#go(), SETTLE_MS);
  }

  /**
   * It has changed, or is wanted once more: ask again, and keep what is known until then.
   *
   * @param {string | null} [path] where it is now, if it has moved
   */
  renew(path = this.#path) {
    if (path !== this.#path) this.#leave(path);
    // The answer that is under way may be from before: ask once more after it.
    if (this.#question) this.#hasChanged = true;
    else if (path !== null) this.#go();
  }

  /** Forget it all. */
  end() {
    this.want(null);
  }

  /** @param {string | null} path where to go on */
  #leave(path) {
    clearTimeout(this.#timer);
    this.#question?.abort();
    this.#question = null;
    this.#hasChanged = false;
    this.#failures = 0;
    this.#path = path;
  }

  async #go() {
    clearTimeout(this.#timer);
    const question = new AbortController();
    this.#question = question;
    const askedAt = performance.now();
    let error = null;
    try {
      const answer = await this.#ask(this.#path ?? "", question.signal);
      if (question.signal.aborted) return;
      [this.#answer, this.#askedAt] = [answer, askedAt];
      this.#failures = 0;
    } catch (failure) {
      if (question.signal.aborted) return;
      if (!(failure instanceof ApiError)) throw failure;
      error = failure;
    }
    this.#question = null;
    const wait = error && waitAfter(error, this.#failures++);
    // Before it is shown: who sees it may want something else.
    if (wait !== null) this.#timer = setTimeout(() => this.#go(), wait);
    this.#show({ answer: this.#answer, askedAt: this.#askedAt, error, isLoading: false });
    if (!this.#hasChanged || this.#question) return;
    this.#hasChanged = false;
    if (wait === null) this.#go();
  }
}

/**
 * @param {ApiError} error
 * @param {number} before failures in a row
 * @returns {number | null} milliseconds; null if it will not pass
 */
function waitAfter({ status, retryAfterSeconds }, before) {
  const mayPass = status === 0 || status === TOO_MANY || status >= 500;
  const wait = Math.min(AGAIN_MS * 2 ** before, LONGEST_AGAIN_MS);
  return mayPass ? Math.max(wait, (retryAfterSeconds ?? 0) * 1000) : null;
}
