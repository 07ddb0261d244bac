// @ts-check
/**
 * The rows in sight, as elements: one that scrolls out of sight serves the next that comes in.
 *
 * Each stands at its place in the whole list, and in that order in the document too. The one with
 * the focus stays, wherever it is: who moves by keys must not fall out of the list.
 */

import { rowsInSight, scrollTo } from "../list/window.js";

/**
 * @template {{kind: string, key: string}} Item
 * @template {HTMLElement} E
 * @typedef {object} Kind how items of one kind are shown
 * @property {() => E} make
 * @property {(element: E, item: Item) => void} fill
 * @property {(element: E) => HTMLElement} link what takes the focus
 */

/** @typedef {{kind: string, key: string}} AnyItem */

export class Rows {
  #list;
  #scroller;
  #kinds;

  /** @type {readonly AnyItem[]} */
  #items = [];
  #indexes = /** @type {Map<string, number>} */ (new Map());
  /** Those in the document, by key. */
  #shown = /** @type {Map<string, {kind: string, element: HTMLElement}>} */ (new Map());
  #spare = /** @type {Map<string, HTMLElement[]>} */ (new Map());
  /** The one row that Tab reaches; the keys move from it. @type {string | null} */
  #stop = null;
  #isScheduled = false;
  #rowHeight = 0;
  #isOwnScroller = false;

  /**
   * @param {HTMLElement} list holds the rows
   * @param {HTMLElement} scroller scrolls them, where the page does not
   * @param {Record<string, Kind<any, any>>} kinds
   */
  constructor(list, scroller, kinds) {
    this.#list = list;
    this.#scroller = scroller;
    this.#kinds = kinds;
  }

  /** @param {AbortSignal} signal ends it */
  connect(signal) {
    const scrolled = () => this.#request();
    this.#scroller.addEventListener("scroll", scrolled, { signal, passive: true });
    document.addEventListener("scroll", scrolled, { signal, passive: true });
    const resized = new ResizeObserver(() => this.measure());
    resized.observe(this.#scroller);
    addEventListener("resize", () => this.measure(), { signal });
    signal.addEventListener("abort", () => resized.disconnect());
    this.#list.addEventListener("focusin", (event) => this.#follow(event), { signal });
  }

  /** Look again how high rows are and what scrolls: the layout may have changed. */
  measure() {
    const style = getComputedStyle(this.#scroller);
    this.#rowHeight = parseFloat(style.getPropertyValue("--row-height")) || 0;
    this.#isOwnScroller = style.overflowY !== "visible";
    this.#request();
  }

  /** The item that Tab reaches, or that has the focus. */
  get stop() {
    return this.#stop;
  }

  /** @param {readonly AnyItem[]} items */
  set items(items) {
    this.#items = items;
    this.#indexes = new Map(items.map(({ key }, index) => [key, index]));
    if (this.#stop === null || !this.#indexes.has(this.#stop)) this.#stop = this.#nextStop();
    this.render();
  }

  /** @param {string} key @returns {AnyItem | undefined} */
  item(key) {
    const index = this.#indexes.get(key);
    return index === undefined ? undefined : this.#items[index];
  }

  /** The element of a row, if it is in the document. @param {string | null} key */
  element(key) {
    return key === null ? undefined : this.#shown.get(key)?.element;
  }

  /** @returns {IterableIterator<[string, HTMLElement]>} */
  *elements() {
    for (const [key, { element }] of this.#shown) yield [key, element];
  }

  /** Fill those of these that are in the document. @param {Iterable<string>} keys */
  refill(keys) {
    for (const key of keys) {
      const shown = this.#shown.get(key);
      const item = shown && this.item(key);
      if (item) this.#kinds[item.kind].fill(shown.element, item);
    }
  }

  /**
   * Put the focus on a row, and it in sight.
   *
   * @param {number} index beyond an end is that end
   */
  focusAt(index) {
    const place = Math.min(Math.max(index, 0), this.#items.length - 1);
    const item = this.#items[place];
    if (!item) return;
    this.#stopAt(item.key);
    this.reveal(item.key);
    this.render();
    const element = this.element(item.key);
    if (!element) return;
    this.#kinds[item.kind].link(element).focus({ preventScroll: true });
    // The list may be half out of the window, or the row under what lies over the page's edges.
    element.scrollIntoView({ block: "nearest" });
  }

  /** The place of the row that Tab reaches. */
  get here() {
    return this.#stop === null ? -1 : (this.#indexes.get(this.#stop) ?? -1);
  }

  /** Scroll as little as brings a row in sight. @param {string} key */
  reveal(key) {
    const index = this.#indexes.get(key);
    if (index === undefined) return;
    const view = this.#view();
    const target = scrollTo(index, view);
    if (target === null) return;
    if (this.#isOwnScroller) this.#scroller.scrollTop = target;
    else scrollBy(0, target - view.top);
  }

  /** Draw the rows that are in sight now. */
  render() {
    if (this.#rowHeight === 0) this.measure();
    const count = this.#items.length;
    const { first, end } = rowsInSight({ count, ...this.#view() });
    const items = this.#items.slice(first, end);
    const focused = this.#focused();
    if (focused !== null) this.#keep(focused, first, end, items);
    this.#recycle(new Set(items.map(({ key }) => key)));
    this.#list.style.height = `${count * this.#rowHeight}px`;
    this.#place(items);
  }

  #request() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.render();
    });
  }

  #view() {
    const rowHeight = this.#rowHeight;
    if (this.#isOwnScroller) {
      return { rowHeight, top: this.#scroller.scrollTop, height: this.#scroller.clientHeight };
    }
    const above = -this.#list.getBoundingClientRect().top;
    return { rowHeight, top: Math.max(above, 0), height: innerHeight };
  }

  /** The key of the row that has the focus, if it is still listed. */
  #focused() {
    const active = document.activeElement;
    if (this.#stop === null || !active || !this.#list.contains(active)) return null;
    return this.element(this.#stop)?.contains(active) ? this.#stop : null;
  }

  /** @param {string} key @param {number} first @param {number} end @param {AnyItem[]} items */
  #keep(key, first, end, items) {
    const index = this.#indexes.get(key);
    if (index === undefined) return;
    if (index < first) items.unshift(this.#items[index]);
    if (index >= end) items.push(this.#items[index]);
  }

  /** Free the elements of rows that are out of sight. @param {ReadonlySet<string>} wanted */
  #recycle(wanted) {
    for (const [key, { kind, element }] of this.#shown) {
      if (wanted.has(key) && this.item(key)?.kind === kind) continue;
      this.#shown.delete(key);
      const spare = this.#spare.get(kind);
      if (spare) spare.push(element);
      else this.#spare.set(kind, [element]);
    }
  }

  /** @param {AnyItem[]} items */
  #place(items) {
    const hadFocus = this.#list.contains(document.activeElement);
    const elements = items.map((item) => this.#elementFor(item));
    // Gone before the others are placed: around one that stays each of them would have to move.
    for (const spare of this.#spare.values()) for (const element of spare) element.remove();
    let place = this.#list.firstElementChild;
    items.forEach((item, position) => {
      const element = elements[position];
      if (place && element === place) place = place.nextElementSibling;
      else this.#list.insertBefore(element, place);
      this.#dress(element, item);
    });
    // Moving a node takes the focus from it.
    if (hadFocus && !this.#list.contains(document.activeElement)) this.#refocus();
  }

  /** @param {HTMLElement} element @param {AnyItem} item */
  #dress(element, item) {
    const index = this.#indexes.get(item.key) ?? 0;
    setAttribute(element, "aria-setsize", String(this.#items.length));
    setAttribute(element, "aria-posinset", String(index + 1));
    const top = `translateY(${index * this.#rowHeight}px)`;
    if (element.style.transform !== top) element.style.transform = top;
    const kind = this.#kinds[item.kind];
    kind.fill(element, item);
    setAttribute(kind.link(element), "tabindex", item.key === this.#stop ? "0" : "-1");
  }

  #refocus() {
    const item = this.#stop === null ? undefined : this.item(this.#stop);
    const element = item && this.element(item.key);
    if (element) this.#kinds[item.kind].link(element).focus({ preventScroll: true });
  }

  /** @param {AnyItem} item */
  #elementFor(item) {
    const shown = this.#shown.get(item.key);
    if (shown) return shown.element;
    const spare = this.#spare.get(item.kind)?.pop();
    spare?.remove();
    const element = spare ?? this.#made(item.kind);
    this.#shown.set(item.key, { kind: item.kind, element });
    return element;
  }

  /** @param {string} kind */
  #made(kind) {
    const element = this.#kinds[kind].make();
    element.setAttribute("role", "listitem");
    return element;
  }

  /** Where Tab goes when its row has gone: to the one that took its place. */
  #nextStop() {
    const gone = [...this.#shown].find(([key]) => key === this.#stop);
    const place = gone ? gone[1].element.getAttribute("aria-posinset") : null;
    const index = Math.min(Number(place ?? 1) - 1, this.#items.length - 1);
    return this.#items[index]?.key ?? null;
  }

  /** @param {string} key */
  #stopAt(key) {
    const before = this.#stop === null ? undefined : this.item(this.#stop);
    const element = before && this.element(before.key);
    if (element) this.#kinds[before.kind].link(element).setAttribute("tabindex", "-1");
    this.#stop = key;
  }

  /** @param {FocusEvent} event */
  #follow({ target }) {
    for (const [key, element] of this.elements()) {
      if (!(target instanceof Node) || !element.contains(target) || key === this.#stop) continue;
      this.#stopAt(key);
      const item = this.item(key);
      if (item) this.#kinds[item.kind].link(element).setAttribute("tabindex", "0");
    }
  }
}

/** @param {Element} element @param {string} name @param {string} value */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
