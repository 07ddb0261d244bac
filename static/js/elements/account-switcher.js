// @ts-check
import { part } from "./template.js";

/**
 * An account as the page names it.
 *
 * @typedef {object} NamedAccount
 * @property {number} id
 * @property {string} label
 * @property {string} environment
 * @property {boolean} is_default the one that is looked at until another is chosen
 * @property {number | null} same_as the one that it is at the exchange too
 */

const ALL = "all";

/**
 * Chooses which account is looked at, where there are several. Its markup is in the page.
 *
 * Events: `view-change`.
 */
export class AccountSwitcher extends HTMLElement {
  static define(tag = "account-switcher", registry = customElements) {
    registry.define(tag, AccountSwitcher);
  }

  /** @type {readonly NamedAccount[]} */
  #accounts = [];
  #lifetime = new AbortController();

  connectedCallback() {
    if (this.#accounts.length === 0) this.accounts = [...this.#select.options].map(accountOf);
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    const tell = () => this.dispatchEvent(new CustomEvent("view-change"));
    this.#select.addEventListener("change", tell, { signal });
  }

  disconnectedCallback() {
    this.#lifetime.abort();
  }

  /** Those there are; the page names those of its start. */
  get accounts() {
    return this.#accounts;
  }

  set accounts(accounts) {
    this.#accounts = accounts;
    this.#offer();
  }

  /** The account that is looked at; null for all of them. @returns {number | null} */
  get view() {
    const { value } = this.#select;
    return value === ALL || value === "" ? null : Number(value);
  }

  /** The same as text, to be kept. */
  get choice() {
    return this.#select.value;
  }

  set choice(choice) {
    this.#choose(choice);
  }

  #offer() {
    const chosen = this.#select.value;
    const options = this.#accounts.map(
      ({ id, label, is_default }) => new Option(label, String(id), is_default),
    );
    this.hidden = options.length < 2;
    if (!this.hidden) options.push(new Option("All accounts", ALL));
    this.#select.replaceChildren(...options);
    this.#choose(chosen);
  }

  /** @param {string} choice what is not there leaves the default */
  #choose(choice) {
    const options = [...this.#select.options];
    const option =
      options.find(({ value }) => value === choice) ??
      options.find(({ defaultSelected }) => defaultSelected) ??
      options[0];
    if (option) option.selected = true;
  }

  /** @returns {HTMLSelectElement} */
  get #select() {
    return part(this, "select");
  }
}

/** @param {HTMLOptionElement} option @returns {NamedAccount} */
function accountOf({ value, text, defaultSelected, dataset }) {
  return {
    id: Number(value),
    label: text,
    environment: dataset.environment ?? "",
    is_default: defaultSelected,
    same_as: dataset.sameAs ? Number(dataset.sameAs) : null,
  };
}
