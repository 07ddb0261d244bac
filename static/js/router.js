// @ts-check
/**
 * Which page the address asks for. Its pages share one stream and one store, so going from one to
 * another loads nothing and misses nothing.
 */

/**
 * @typedef {object} Page
 * @property {string} name as in `data-page` of its part of the document
 * @property {RegExp} path of the address, after the `#`
 * @property {() => void} show it is asked for, or asked for something else
 * @property {() => void} [hide] another one is
 */

export class Router {
  #pages;
  /** @type {Page | null} */
  #shown = null;

  /** @param {readonly Page[]} pages the first is for every address that none asks for */
  constructor(pages) {
    this.#pages = pages;
    addEventListener("hashchange", () => this.show());
  }

  /** Show what the address asks for. */
  show() {
    const path = location.hash.slice(1);
    const page = this.#pages.find((each) => each.path.test(path)) ?? this.#pages[0];
    if (this.#shown !== page) this.#shown?.hide?.();
    this.#shown = page;
    for (const element of document.querySelectorAll("[data-page]")) {
      /** @type {HTMLElement} */ (element).hidden =
        /** @type {HTMLElement} */ (element).dataset.page !== page.name;
    }
    page.show();
  }
}
