// @ts-check
/**
 * How each account that is looked at is connected, and what the page says of it.
 */

import { connectionView, overview } from "../connection.js";
import { part } from "../elements/template.js";
import { Repeated } from "../repeated.js";
import { say } from "./status.js";

/** @typedef {import("../connection.js").ConnectionView} ConnectionView */
/** @typedef {import("../connection.js").Loss} Loss */
/** @typedef {{id: number | null, view: ConnectionView}} Connected */

export class ConnectionBoard {
  /** Our link to the server is down. @type {Loss | null} */
  loss = null;
  /** The accounts whose figures must not look live. @type {ReadonlySet<number>} */
  stale = new Set();
  /** Those that are followed. @type {ReadonlySet<number>} */
  live = new Set();
  /**
   * The instant that the notice gives the figures, of several the oldest; null while all are live.
   * All that says how old they are goes by it.
   *
   * @type {string | null}
   */
  asOf = null;

  #store;
  #accounts;
  /** @type {import("../elements/connection-state.js").ConnectionState} */
  #state = part(document, "connection-state");
  #notices = new Repeated(
    /** @type {import("../elements/connection-notice.js").ConnectionNotice} */ (
      part(document, "connection-notice")
    ),
  );
  #announced = "";

  /**
   * @param {import("../store.js").Store} store
   * @param {import("./accounts.js").Accounts} accounts
   * @param {object} actions what its notices offer
   * @param {(account: number | null) => void} actions.retry
   * @param {() => void} actions.signIn
   */
  constructor(store, accounts, { retry, signIn }) {
    this.#store = store;
    this.#accounts = accounts;
    this.#notices.listen("retry", ({ target }) => {
      const account = target instanceof HTMLElement ? Number(target.dataset.account) : 0;
      retry(account || null);
    });
    this.#notices.listen("sign-in", signIn);
  }

  show() {
    const { loss } = this;
    const all = this.#all();
    // A link that is down is one trouble, whatever it brings news of; the oldest figures date it.
    const told = loss ? [oldest(all)] : all.filter(({ view }) => view.message !== "");
    const together = overview(loss ? [told[0].view] : all.map(({ view }) => view));
    this.#state.view = together;
    this.#notices.show(Math.max(told.length, 1), (notice, index) => {
      const { id, view } = told[index] ?? all[0];
      notice.account = this.#nameOf(id);
      notice.dataset.account = String(id ?? "");
      notice.view = view;
    });
    this.asOf = told.map(({ view }) => view.asOf ?? "").filter(Boolean).sort()[0] ?? null;
    this.stale = new Set(all.filter(({ view }) => view.isStale).map(({ id }) => id ?? NaN));
    this.live = new Set(all.filter(({ view }) => view.status === "live").map(({ id }) => id ?? NaN));
    document.documentElement.toggleAttribute("data-stale", this.stale.size === all.length);
    if (this.#accounts.all.length > 0) this.#announce(told, together.word);
  }

  /** @returns {Connected[]} */
  #all() {
    const now = this.#store.serverNow;
    const { accounts } = this.#accounts.viewed;
    if (accounts.length === 0) return [{ id: null, view: connectionView(null, this.loss, now) }];
    return accounts.map(({ id }) => {
      const connection = this.#store.accounts.get(id)?.connection ?? null;
      return { id, view: connectionView(connection, this.loss, now) };
    });
  }

  /** @param {number | null} id */
  #nameOf(id) {
    return this.loss ? "" : this.#accounts.viewed.nameOf(id);
  }

  /** @param {Connected[]} told @param {string} word */
  #announce(told, word) {
    // A listener hears of changes; attempts and times within one state stay silent.
    const state = told.map(({ id, view }) => `${id} ${view.status} ${view.reason}`).join() || word;
    if (state === this.#announced) return;
    this.#announced = state;
    const sentences = told.map(({ id, view }) =>
      [this.#nameOf(id), view.message].filter(Boolean).join(": "),
    );
    say(sentences.some(Boolean) ? sentences : [word]);
  }
}

/** @param {Connected[]} all at least one @returns {Connected} */
function oldest(all) {
  const dated = all.filter(({ view }) => view.asOf !== null);
  return dated.sort((one, other) => ((one.view.asOf ?? "") < (other.view.asOf ?? "") ? -1 : 1))[0] ?? all[0];
}
