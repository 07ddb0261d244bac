// @ts-check
/**
 * The `<data data-field="…">` nodes below one root, written only where something has changed.
 */

import { figure, signOf, unreadableCount } from "./format.js";
import { locale } from "./locale.js";
import { whyUnknown } from "./words/unknown.js";

/** @typedef {import("./words/unknown.js").Context} Context */

/** A name with a dot is of something beside the record, such as `sell_now.fee`. */
const OWN = 'data[data-field]:not([data-field*="."])';

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

/**
 * Say why a node shows a dash, on hover and to a screen reader, which reads it in the dash's place;
 * nothing where it shows a figure.
 *
 * @param {Element} node
 * @param {string} why a sentence, or empty
 */
export function explainDash(node, why) {
  if (why) {
    // A name is for what has a role: a dash is a picture of "unknown".
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", `Unknown. ${why}`);
    node.setAttribute("title", why);
  } else {
    for (const name of ["role", "aria-label", "title"]) node.removeAttribute(name);
  }
}

export class Figures {
  #entries;
  #written = way();

  /** @param {ParentNode} root */
  constructor(root) {
    /** @type {NodeListOf<HTMLDataElement>} */
    const nodes = root.querySelectorAll(OWN);
    this.#entries = [...nodes].map((node) => ({
      node,
      field: node.dataset.field ?? "",
      value: /** @type {unknown} */ (undefined),
      why: "",
    }));
  }

  /**
   * Show the figures of a record; those it lacks are unknown, and say why.
   *
   * @param {object} record a Position or a Portfolio
   * @param {Context} [context] what else is known of the reasons
   */
  write(record, context) {
    const written = way();
    const hasWayChanged = this.#written !== written;
    this.#written = written;
    for (const entry of this.#entries) {
      const value = /** @type {Record<string, string | null>} */ (record)[entry.field] ?? null;
      const why = value === null ? whyUnknown(entry.field, record, context) : "";
      if (why !== entry.why) explainDash(entry.node, why);
      entry.why = why;
      if (value === entry.value && !hasWayChanged) continue;
      entry.value = value;
      writeFigure(entry.node, entry.field, value);
    }
  }
}

/** How figures are written now: when that changes, all of them are written anew. */
function way() {
  return `${isMasked} ${locale()}`;
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
