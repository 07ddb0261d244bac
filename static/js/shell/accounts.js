// @ts-check
/**
 * The accounts there are, which of them is looked at, and what the page's frame says of that.
 */

import { get } from "../api.js";
import { part } from "../elements/template.js";
import { Roster } from "../roster.js";
import { Viewed, twinsText } from "../viewed.js";

/** @typedef {import("../elements/account-switcher.js").NamedAccount} NamedAccount */

export class Accounts {
  /** Which accounts are looked at, and how they are named. */
  viewed;

  #store;
  /** @type {import("../elements/account-switcher.js").AccountSwitcher} */
  #switcher;
  #preferred;
  #looked;
  #roster = new Roster(
    () => this.#ask(),
    (answer) => this.#learn(answer),
  );

  /**
   * @param {import("../store.js").Store} store
   * @param {() => string} preferred the account that was chosen before
   * @param {(choice: string) => void} chosen somebody has chosen another account
   * @param {() => void} looked another account is looked at, or there are others
   */
  constructor(store, preferred, chosen, looked) {
    this.#store = store;
    this.#switcher = part(document, "account-switcher");
    this.#preferred = preferred;
    this.#looked = looked;
    this.viewed = new Viewed(store, this.#switcher);
    this.#switcher.choice = preferred();
    this.#switcher.addEventListener("view-change", () => {
      this.look();
      chosen(this.#switcher.choice);
    });
  }

  /** Those there are. */
  get all() {
    return this.#switcher.accounts;
  }

  /** Take these for those there are. @param {readonly NamedAccount[]} accounts */
  adopt(accounts) {
    this.#switcher.accounts = accounts;
    this.#switcher.choice = this.#preferred();
  }

  /** Ask which accounts there are, and how they are named. */
  renew() {
    this.#roster.renew();
  }

  /** Ask which accounts there are if the stream knows of others. */
  compare() {
    const ids = this.all.map(({ id }) => id);
    const { accounts } = this.#store;
    const isSame = ids.length === accounts.size && ids.every((id) => accounts.has(id));
    if (!isSame) this.renew();
  }

  /** Look at all of them. */
  lookAtAll() {
    this.#switcher.choice = "all";
    this.look();
  }

  /** Look at the account that is chosen. */
  look() {
    const { all } = this;
    const isNone = all.length === 0;
    part(document, ".no-account").hidden = !isNone;
    part(document, "main").hidden = isNone;
    // Where there is no account there is nothing that could be connected.
    part(document, ".notices").hidden = part(document, "connection-state").hidden = isNone;
    this.#store.view = all.length > 1 ? this.#switcher.view : null;
    part(document, ".badges").replaceChildren(...this.viewed.environments.map(badge));
    const hint = part(document, ".same-as-hint");
    hint.textContent = twinsText(all);
    hint.hidden = hint.textContent === "";
    const forgotten = document.querySelector(".forget-accounts");
    if (forgotten) forgotten.textContent = all.map(({ label }) => label).join(", ");
    this.#looked();
  }

  async #ask() {
    const before = [...this.#store.accounts.keys()];
    return { before, accounts: /** @type {NamedAccount[]} */ ((await get("accounts")).accounts) };
  }

  /**
   * @param {{before: number[], accounts: NamedAccount[]}} answer those we had when we asked, and
   *   those there are
   */
  #learn({ before, accounts }) {
    const ids = accounts.map(({ id }) => id);
    // What has come since we asked is none of those that are gone.
    this.#store.drop(before.filter((id) => !ids.includes(id)));
    for (const environment of this.#store.sums.keys()) {
      // Of one account there is none; an old one must not wait for a second.
      const members = accounts.filter((account) => account.environment === environment);
      if (members.length < 2) this.#store.sums.delete(environment);
    }
    const wasAlone = this.all.length < 2;
    this.#switcher.accounts = accounts;
    // There is something to choose again: what was chosen before counts.
    if (wasAlone) this.#switcher.choice = this.#preferred();
    this.look();
  }
}

/** @param {string} environment */
function badge(environment) {
  const element = document.createElement("span");
  element.className = "badge";
  element.dataset.environment = environment;
  element.textContent = environment.toUpperCase();
  return element;
}
