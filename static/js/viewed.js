// @ts-check
/**
 * Which accounts are looked at, and how they and their sums are named.
 */

/** @typedef {import("./elements/account-switcher.js").NamedAccount} NamedAccount */
/** @typedef {import("./types.js").Portfolio} Portfolio */

/**
 * A summary in sight.
 *
 * @typedef {object} Sum
 * @property {string} heading empty where it goes without saying
 * @property {number[]} ids the accounts that it is of
 * @property {Portfolio | undefined} portfolio undefined while it is not known
 */

export class Viewed {
  #store;
  #named;

  /**
   * @param {Pick<import("./store.js").Store, "view" | "accounts" | "sums">} store
   * @param {{readonly accounts: readonly NamedAccount[]}} named those there are
   */
  constructor(store, named) {
    this.#store = store;
    this.#named = named;
  }

  /** Whether all of several accounts are looked at. */
  get isAll() {
    return this.#store.view === null && this.#named.accounts.length > 1;
  }

  get accounts() {
    return this.#named.accounts.filter((account) => this.includes(account.id));
  }

  get environments() {
    return [...new Set(this.accounts.map(({ environment }) => environment))];
  }

  /** One for each environment: dollars of two are not the same. @returns {Sum[]} */
  get sums() {
    return this.environments.map((environment) => this.#sum(environment));
  }

  /** Those of which a course over time can be asked for. */
  get courses() {
    return this.sums.map(({ heading, ids, portfolio }, index) => ({
      name: heading,
      of: ids.length > 1 ? `account=all&environment=${this.environments[index]}` : `account=${ids[0]}`,
      portfolio: portfolio ?? null,
    }));
  }

  /** Whether an account is looked at. @param {number} id */
  includes(id) {
    return this.#store.view === null || this.#store.view === id;
  }

  /** The name of an account, where several are looked at; else empty. @param {number | null} id */
  nameOf(id) {
    return (this.isAll && this.#named.accounts.find((account) => account.id === id)?.label) || "";
  }

  /** @param {string} environment @returns {Sum} */
  #sum(environment) {
    const { sums, accounts } = this.#store;
    const members = this.accounts.filter((account) => account.environment === environment);
    const ids = members.map(({ id }) => id);
    const word = capitalized(environment);
    if (members.length > 1) {
      const heading = `${word} · ${members.length} accounts`;
      return { heading, ids, portfolio: sums.get(environment) };
    }
    const [{ id, label }] = members;
    const heading = label === word ? word : `${word} · ${label}`;
    return { heading: this.isAll ? heading : "", ids, portfolio: accounts.get(id)?.portfolio };
  }
}

/**
 * What is said of accounts that are one at the exchange; empty where none are.
 *
 * @param {readonly NamedAccount[]} accounts
 */
export function twinsText(accounts) {
  const sentences = accounts.map(({ id, label, same_as }) => {
    const twin = accounts.find((account) => account.id === same_as);
    // Where each was found to be the other, once is enough.
    if (!twin || (twin.same_as === id && id < twin.id)) return "";
    return `${label} is the same account at the exchange as ${twin.label}: sums count it once.`;
  });
  return sentences.filter(Boolean).join(" ");
}

/** @param {string} environment its word in programs */
export function capitalized(environment) {
  return environment[0].toUpperCase() + environment.slice(1);
}
