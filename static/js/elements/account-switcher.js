// @ts-check
import { part } from "./template.js";

/**
 * An account as the page names it.
 *
 * @typedef {object} NamedAccount
 * @property {number} id
 * @property {string} label
 * @property {string} environment
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

  #lifetime = new AbortController();

  connectedCallback() {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    const tell = () => this.dispatchEvent(new CustomEvent("view-change"));
    this.#select.addEventListener("change", tell, { signal });
  }

  disconnectedCallback() {
    this.#lifetime.abort();
  }

  /** Those there are. @returns {NamedAccount[]} */
  get accounts() {
    return [...this.#select.options]
      .filter(({ value }) => value !== ALL)
      .map(({ value, text, dataset }) => ({
        id: Number(value),
        label: text,
        environment: dataset.environment ?? "",
        same_as: dataset.sameAs ? Number(dataset.sameAs) : null,
      }));
  }

  set accounts(accounts) {
    const chosen = this.#select.value;
    const options = accounts.map(({ id, label, environment, same_as }) => {
      const option = new Option(label, String(id));
      option.dataset.environment = environment;
      if (same_as !== null) option.dataset.sameAs = String(same_as);
      return option;
    });
    const isSeveral = accounts.length > 1;
    this.#select.replaceChildren(...options, ...(isSeveral ? [new Option("All accounts", ALL)] : []));
    this.hidden = !isSeveral;
    this.#choose(chosen);
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

  /** @param {string} choice what is not there leaves the first */
  #choose(choice) {
    const isThere = [...this.#select.options].some(({ value }) => value === choice);
    if (isThere) this.#select.value = choice;
    else this.#select.selectedIndex = 0;
  }

  /** @returns {HTMLSelectElement} */
  get #select() {
    return part(this, "select");
  }
}
