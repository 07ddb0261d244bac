// @ts-check
/**
 * Markup comes from the page: a `<template>` that Django rendered, or the element's own children.
 */

/**
 * A copy of what the template holds.
 *
 * @param {string} id
 * @returns {Node}
 */
export function cloneTemplate(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`no template #${id}`);
  return template.content.cloneNode(true);
}

/**
 * The one node that the markup promises.
 *
 * @template {Element} [E=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {E}
 */
export function part(root, selector) {
  const node = root.querySelector(selector);
  if (!node) throw new Error(`no ${selector} in the markup`);
  return /** @type {E} */ (node);
}
