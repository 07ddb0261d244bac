// @ts-check
/**
 * One element of the page, as many times as there is something to show.
 *
 * The first is the page's own and always stays; the others are copies of it as it was at first.
 *
 * @template {HTMLElement} E
 */
export class Repeated {
  /** @type {E[]} */
  #elements;
  /** @type {E} */
  #original;
  /** @type {[string, (event: Event) => void][]} */
  #listeners = [];

  /** @param {E} first */
  constructor(first) {
    this.#elements = [first];
    this.#original = /** @type {E} */ (first.cloneNode(true));
  }

  /**
   * Have so many, at least one, and fill each.
   *
   * @param {number} count
   * @param {(element: E, index: number) => void} fill
   */
  show(count, fill) {
    while (this.#elements.length < Math.max(count, 1)) this.#add();
    while (this.#elements.length > Math.max(count, 1)) this.#elements.pop()?.remove();
    this.#elements.slice(0, count).forEach(fill);
  }

  /** Those there are. @returns {readonly E[]} */
  get elements() {
    return this.#elements;
  }

  /** @param {string} type @param {(event: Event) => void} listener of each, now and later */
  listen(type, listener) {
    this.#listeners.push([type, listener]);
    for (const element of this.#elements) element.addEventListener(type, listener);
  }

  #add() {
    const element = /** @type {E} */ (this.#original.cloneNode(true));
    for (const [type, listener] of this.#listeners) element.addEventListener(type, listener);
    this.#elements.at(-1)?.after(element);
    this.#elements.push(element);
  }
}
