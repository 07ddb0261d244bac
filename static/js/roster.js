// @ts-check
/**
 * Learns which accounts there are: the stream brings their figures, but neither their names nor
 * word of those that went while it was down.
 */

const RETRY_MS = 5_000;

/** @template A */
export class Roster {
  #ask;
  #learn;
  #isAsking = false;
  #isOld = false;
  /** @type {number | undefined} */
  #retry;

  /**
   * @param {() => Promise<A>} ask rejects if the server doesn't tell
   * @param {(answer: A) => void} learn takes in the newest answer
   */
  constructor(ask, learn) {
    this.#ask = ask;
    this.#learn = learn;
  }

  /** Ask, now or once the question that is under way has been answered. */
  async renew() {
    this.#isOld = true;
    if (this.#isAsking) return;
    this.#isAsking = true;
    clearTimeout(this.#retry);
    const answer = await this.#newest();
    this.#isAsking = false;
    if (answer === null) this.#retry = setTimeout(() => this.renew(), RETRY_MS);
    else this.#learn(answer);
  }

  /** An answer that nothing has happened since; null if there was none. */
  async #newest() {
    let answer = null;
    while (this.#isOld) {
      this.#isOld = false;
      try {
        answer = await this.#ask();
      } catch {
        return null;
      }
    }
    return answer;
  }
}
