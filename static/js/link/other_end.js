// @ts-check
/**
 * Whether the other end of a line still lives: a worker that has died tells nobody.
 *
 * It is looked at once a second and not by one long timer, since timers stand still while a
 * computer sleeps, and who wakes it must not wait for them.
 */

/** Who does not answer within this time is no more. */
export const ANSWER_MS = 4_000;

/** A tab in sight is told at least this often that the stream was heard; after it, it asks. */
export const QUIET_MS = 11_000;

const LOOK_MS = 1_000;

/** A look that comes this late was slept through, by the other end too. */
const SLEPT_MS = 3_000;

export class OtherEnd {
  #isWatched;
  #ask;
  #onDead;
  #heardAt = 0;
  /** @type {number | null} */
  #askedAt = null;
  #lookedAt = 0;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {object} is
   * @param {() => boolean} is.isWatched whether anybody would miss it
   * @param {() => void} is.ask say something that is answered
   * @param {() => void} is.onDead
   */
  constructor({ isWatched, ask, onDead }) {
    this.#isWatched = isWatched;
    this.#ask = ask;
    this.#onDead = onDead;
  }

  /** Something has been said that is answered. */
  asked() {
    this.#askedAt = this.#heardAt = this.#lookedAt = Date.now();
    this.#lookLater();
  }

  heard() {
    this.#heardAt = Date.now();
    this.#askedAt = null;
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #look() {
    const now = Date.now();
    const between = now - this.#lookedAt;
    this.#lookedAt = now;
    const isAsked = this.#askedAt !== null;
    if (!isAsked && !this.#isWatched()) return;
    if (between > SLEPT_MS || between < 0) this.#ask();
    else if (now - (this.#askedAt ?? now) >= ANSWER_MS) this.#onDead();
    else if (!isAsked && now - this.#heardAt >= QUIET_MS) this.#ask();
    else this.#lookLater();
  }

  #lookLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }
}
