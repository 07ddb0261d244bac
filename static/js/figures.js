// @ts-check
/**
 * The `<data data-field="…">` nodes below one root, written only where something has changed.
 */

import { figure, signOf, unreadableCount } from "./format.js";

/** Fields whose sign is shown by colour too. */
const SIGNED = /pnl(_percent)?$/;

let isMasked = false;

/**
 * Privacy mode, for the whole page. Nodes follow at their next `write`.
 *
 * @param {boolean} value
 */
export function maskFigures(value) {
  isMasked = value;
}

/**
 * A figure as text in the present privacy mode, for use inside a sentence.
 *
 * @param {string} field
 * @param {string | number | null} value
 */
export function figureText(field, value) {
  return figure(field, value, isMasked);
}

/**
 * How many rows of the exchange can't be read, in the present privacy mode; empty for none.
 *
 * @param {number | null | undefined} count
 */
export function unreadableText(count) {
  return unreadableCount(count, isMasked);
}

/**
 * Write text only if it differs, which spares the browser laying it out again.
 *
 * @param {Element} node
 * @param {string} text
 */
export function writeText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class Figures {
  #entries;
  #isMasked = isMasked;

  /** @param {ParentNode} root */
  constructor(root) {
    /** @type {NodeListOf<HTMLDataElement>} */
    const nodes = root.querySelectorAll("data[data-field]");
    this.#entries = [...nodes].map((node) => ({
      node,
      field: node.dataset.field ?? "",
      value: /** @type {unknown} */ (undefined),
    }));
  }

  /**
   * Show the figures of a record; those it lacks are unknown.
   *
   * @param {object} record a Position or a Portfolio
   */
  write(record) {
    const hasModeChanged = this.#isMasked !== isMasked;
    this.#isMasked = isMasked;
    for (const entry of this.#entries) {
      const value = /** @type {Record<string, string | null>} */ (record)[entry.field] ?? null;
      if (value === entry.value && !hasModeChanged) continue;
      entry.value = value;
      writeFigure(entry.node, entry.field, value);
    }
  }
}

/**
 * @param {HTMLDataElement} node
 * @param {string} field
 * @param {string | null} value
 */
function writeFigure(node, field, value) {
  const text = figureText(field, value);
  node.value = value ?? "";
  node.textContent = text;
  if (SIGNED.test(field)) node.dataset.sign = signOf(text);
}
