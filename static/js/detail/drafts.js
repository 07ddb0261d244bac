// @ts-check
/**
 * Notes while they are written: kept by position until the server has them, whatever is looked at.
 */

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {"saved" | "written" | "saving" | "failed"} state
 * @property {string} why it failed
 */

/** Written text is saved when nothing was added to it for this long. */
const PAUSE_MS = 800;

export class Drafts {
  /** @type {Map<string, Draft>} */
  #drafts = new Map();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();
  /** Those that are on their way. @type {Set<string>} */
  #sent = new Set();
  /** When the server last had one from here. @type {Map<string, number>} */
  #savedAt = new Map();
  #save;
  #onChange;
  #clock;

  /**
   * @param {(key: string, text: string) => Promise<void>} save throws an error for people
   * @param {(key: string) => void} onChange the state of one is another
   * @param {() => number} [clock] in milliseconds, never going back
   */
  constructor(save, onChange, clock = () => performance.now()) {
    this.#save = save;
    this.#onChange = onChange;
    this.#clock = clock;
  }

  /** @param {string} key @returns {Draft | undefined} */
  of(key) {
    return this.#drafts.get(key);
  }

  /**
   * What the server had when it was asked. It does not replace what was written since, saved or not.
   *
   * @param {string} key
   * @param {string} text
   * @param {number} askedAt by the clock
   */
  learn(key, text, askedAt) {
    const draft = this.#drafts.get(key);
    if (draft && draft.state !== "saved") return;
    if (askedAt <= (this.#savedAt.get(key) ?? -Infinity)) return;
    this.#drafts.set(key, { text, state: "saved", why: "" });
  }

  /** @param {string} key @param {string} text */
  write(key, text) {
    this.#drafts.set(key, { text, state: "written", why: "" });
    this.#onChange(key);
    this.#saveLater(key);
  }

  /** Save what is not yet saved of it. @param {string} key */
  async save(key) {
    clearTimeout(this.#timers.get(key));
    const draft = this.#drafts.get(key);
    if (!draft || draft.state === "saved" || draft.state === "saving") return;
    if (this.#sent.has(key)) {
      // Two on their way might come in the wrong order.
      this.#saveLater(key);
      return;
    }
    this.#sent.add(key);
    this.#drafts.set(key, { ...draft, state: "saving", why: "" });
    this.#onChange(key);
    let outcome = /** @type {Draft} */ ({ text: draft.text, state: "saved", why: "" });
    try {
      await this.#save(key, draft.text);
    } catch (error) {
      const why = error instanceof Error ? error.message : "";
      outcome = { text: draft.text, state: "failed", why };
    }
    this.#sent.delete(key);
    // After a failure too: the server may have it, and only the answer was lost.
    this.#savedAt.set(key, this.#clock());
    // What was written meanwhile has a time of its own.
    if (this.#drafts.get(key)?.state !== "saving") return;
    this.#drafts.set(key, outcome);
    this.#onChange(key);
  }

  /** Nobody will write any more. */
  saveAll() {
    this.#sent.clear();
    for (const key of this.#drafts.keys()) this.save(key);
  }

  /** @param {string} key */
  #saveLater(key) {
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.save(key), PAUSE_MS));
  }
}
