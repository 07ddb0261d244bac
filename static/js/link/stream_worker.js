// @ts-check
/**
 * The worker that all tabs of one session share: browsers allow six connections to a server of
 * HTTP/1.1, so a stream for each tab would leave the seventh without an answer.
 *
 * Its name ends in the user's id; a worker of another session has another name.
 */

import { followNews } from "./session_news.js";
import { Switchboard } from "./switchboard.js";

/** @typedef {import("./messages.js").Port} Port */

const { name } = /** @type {{name: string}} */ (/** @type {unknown} */ (globalThis));
const switchboard = new Switchboard(name.slice(name.lastIndexOf(" ") + 1));

followNews(switchboard);

addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  switchboard.connect(/** @type {Port} */ (port));
  port.addEventListener("message", ({ data }) => {
    if (data.say === "lock") forgetOnceFree(data.name, port);
  });
});

/**
 * A tab that dies without a word lets go of its lock.
 *
 * @param {string} lock
 * @param {MessagePort} port
 */
async function forgetOnceFree(lock, port) {
  await navigator.locks.request(lock, () => switchboard.forget(/** @type {Port} */ (port)));
}
