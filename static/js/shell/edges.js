// @ts-check
/**
 * What lies over the page's edges: the bar, and the notices while there are any. The style sheet
 * leaves them room, so that what is under them can be scrolled clear, and the focus is never there.
 */

import { part } from "../elements/template.js";

export function measureEdges() {
  measure(part(document, ".bar"), "--bar");
  measure(part(document, ".notices"), "--notices");
}

/** Keep an element's height in a property of the root. @param {HTMLElement} element @param {string} name */
function measure(element, name) {
  new ResizeObserver(([{ borderBoxSize }]) => {
    document.documentElement.style.setProperty(name, `${borderBoxSize[0].blockSize}px`);
  }).observe(element);
}
