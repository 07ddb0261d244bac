// @ts-check
/**
 * Rows of a list, each a copy of a `<template>`.
 */

import { cloneTemplate, part } from "../elements/template.js";

/**
 * A new row with its texts; an empty one is hidden.
 *
 * @param {string} template
 * @param {Record<string, string>} texts by `data-text`
 */
export function row(template, texts) {
  const copy = /** @type {DocumentFragment} */ (cloneTemplate(template));
  const node = part(copy, "li");
  for (const [name, text] of Object.entries(texts)) {
    const place = part(node, `[data-text=${name}]`);
    place.textContent = text;
    place.hidden = !text;
  }
  return node;
}

/**
 * The row's button for something, told apart from those of the other rows.
 *
 * Its id is what the focus is given back by when the list is drawn anew.
 *
 * @param {HTMLElement} row
 * @param {string} action as in `data-action`
 * @param {string} id
 * @param {string} name what a screen reader says; begins with the words that are seen
 * @param {() => unknown} onClick
 * @returns {HTMLButtonElement}
 */
export function button(row, action, id, name, onClick) {
  /** @type {HTMLButtonElement} */
  const found = part(row, `[data-action=${action}]`);
  found.id = id;
  found.setAttribute("aria-label", name);
  found.addEventListener("click", onClick);
  return found;
}
