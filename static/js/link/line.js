// @ts-check
/**
 * The way from a page to a switchboard of its own, where there is no worker.
 */

import { Switchboard } from "./switchboard.js";

/** @typedef {import("./messages.js").Port} Port */

/**
 * A line to a switchboard in this page. It carries each message at once, so that even the last
 * words of a page that goes away are heard.
 *
 * @param {Switchboard} switchboard
 * @returns {Port}
 */
export function lineWithin(switchboard) {
  /** @type {Port} */
  const there = { onmessage: null, postMessage: (data) => here.onmessage?.({ data }), close() {} };
  /** @type {Port} */
  const here = { onmessage: null, postMessage: (data) => there.onmessage?.({ data }), close() {} };
  switchboard.connect(there);
  return here;
}
