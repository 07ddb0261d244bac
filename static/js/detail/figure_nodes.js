// @ts-check
/**
 * Figures of what belongs to a position without being its own: their names have a dot, such as
 * `sell_now.fee`, so that nobody takes one for the position's.
 */

import { figureText, writeText } from "../figures.js";
import { signOf } from "../format.js";

/**
 * @param {HTMLDataElement} node with its `data-field`
 * @param {string | null} value exact; null if unknown
 */
export function writeFigure(node, value) {
  const field = (node.dataset.field ?? "").split(".").at(-1) ?? "";
  const text = figureText(field, value);
  if (node.value !== (value ?? "")) node.value = value ?? "";
  writeText(node, text);
  if (field.endsWith("pnl")) node.dataset.sign = signOf(text);
}

/**
 * Those of a record that the markup has.
 *
 * @param {ParentNode} root
 * @param {string} name of the record
 * @param {object | null} record
 */
export function writeFigures(root, name, record) {
  /** @type {NodeListOf<HTMLDataElement>} */
  const nodes = root.querySelectorAll(`data[data-field^="${name}."]`);
  for (const node of nodes) {
    const field = (node.dataset.field ?? "").slice(name.length + 1);
    writeFigure(node, /** @type {Record<string, string | null>} */ (record ?? {})[field] ?? null);
  }
}

/** @param {string} field @param {string | null} value */
export function figureNode(field, value) {
  const node = document.createElement("data");
  node.dataset.field = field;
  writeFigure(node, value);
  return node;
}

/**
 * A row of a table.
 *
 * @param {readonly (string | Node)[]} cells the first is its head
 */
export function row(cells) {
  const line = document.createElement("tr");
  line.append(
    ...cells.map((content, index) => {
      const cell = document.createElement(index === 0 ? "th" : "td");
      if (index === 0) cell.setAttribute("scope", "row");
      cell.append(content);
      return cell;
    }),
  );
  return line;
}
