// @ts-check
/**
 * A check with the exchange that somebody asked for, from the click to what came of it.
 *
 * The server accepts the wish at once and checks a little later; that it did is told by
 * `reconciled_at`, which then moves on. A failure is withdrawn as soon as what failed works again,
 * whoever made it work, or was checked all the same.
 */

import { moment } from "../format.js";

/** @typedef {Pick<import("../types.js").Portfolio, "reconciled_at">} Checked */

/**
 * @typedef {object} RefreshView
 * @property {"idle" | "pending" | "failed"} state
 * @property {string} message why it failed; else empty
 */

export class Refreshing {
  /** @type {RefreshView} */
  view = { state: "idle", message: "" };

  /** When the figures were last checked, as the wish was made; null once that is over. */
  #before = /** @type {string | null} */ (null);

  /**
   * Somebody asks.
   *
   * @param {Iterable<Checked>} portfolios those that it is about
   */
  ask(portfolios) {
    this.#before = oldest(portfolios) ?? "";
    this.view = { state: "pending", message: "" };
  }

  /** The server has accepted it. */
  accept() {
    this.view = { state: "idle", message: "" };
  }

  /** @param {string} message why it failed */
  fail(message) {
    // Only the answer was lost: what was wished for has come meanwhile.
    if (this.#before === null) return this.accept();
    this.view = { state: "failed", message };
  }

  /** Events flow again, so that what stood in the way is gone. */
  works() {
    if (this.view.state !== "failed") return;
    this.#before = null;
    this.accept();
  }

  /**
   * Figures have come.
   *
   * @param {Iterable<Checked>} portfolios those that it is about
   * @param {number} now the server's clock, milliseconds since 1970
   * @returns {string} what a refresh that worked says, once; else empty, also when a check that came
   *   by itself has made a failure void
   */
  learn(portfolios, now) {
    const checked = oldest(portfolios);
    if (checked === null) return "";
    if (this.#before === null) return "";
    if (checked <= this.#before) return "";
    const hasFailed = this.view.state === "failed";
    this.works();
    this.#before = null;
    return hasFailed ? "" : `Checked with the exchange at ${moment(checked, now)}.`;
  }
}

/**
 * When the one furthest behind was checked; null while one never was. Instants in UTC of one shape:
 * their order as text is their order in time.
 *
 * @param {Iterable<Checked>} portfolios
 */
function oldest(portfolios) {
  const instants = [...portfolios].map(({ reconciled_at }) => reconciled_at);
  const known = instants.filter((at) => at !== null).sort();
  return known.length > 0 && known.length === instants.length ? known[0] : null;
}
