// @ts-check
/**
 * The page of the positions: their sums, the list, and the one that is chosen in full.
 */

import { keyOf } from "../account_state.js";
import { isOfOneEvent } from "../detail/records.js";
import { part } from "../elements/template.js";
import { chosenIn, positionAddress } from "../position_address.js";
import { Repeated } from "../repeated.js";
import { say } from "../shell/status.js";

/** @typedef {import("../store.js").Changes} Changes */
/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../elements/position-detail.js").PositionDetail} PositionDetail */
/** @typedef {import("../elements/equity-chart.js").EquityChart} EquityChart */

/** The sums are read, not watched: so many milliseconds are between two writings. */
const SUMS_MS = 200;

export class PositionsPage {
  name = "positions";
  path = /^$|^\/$|^\/position\//;

  #store;
  #accounts;
  /** @type {import("../elements/position-panel.js").PositionPanel} */
  #panel = part(document, "position-panel");
  /** Null until its element is defined. @type {PositionDetail | null} */
  #detail = null;
  /** Null until its element is defined. @type {EquityChart | null} */
  #chart = null;
  /** The one whose detail is shown, as it was last. @type {Position | null} */
  #selected = null;
  /** Whose position an address was found to mean that does not say it. */
  #meant = { hash: "", account: NaN };
  #summaries = new Repeated(
    /** @type {import("../elements/portfolio-summary-bar.js").PortfolioSummaryBar} */ (
      part(document, "portfolio-summary-bar")
    ),
  );
  /** Those in sight. @type {import("../viewed.js").Sum[]} */
  #sums = [];
  #sumsAt = -Infinity;
  /** @type {ReadonlySet<number>} */
  #stale = new Set();
  /** @type {ReadonlySet<number>} */
  #live = new Set();
  #isShown = false;

  /**
   * @param {import("../store.js").Store} store
   * @param {import("../shell/accounts.js").Accounts} accounts
   */
  constructor(store, accounts) {
    this.#store = store;
    this.#accounts = accounts;
    this.#panel.nameOf = (id) => accounts.viewed.nameOf(id);
    this.#panel.contextOf = (id) => this.#contextOf(id);
    this.#summaries.listen("reading-change", () => {
      // Why a figure of a position is unknown may be another now, and its records may be more.
      store.touch();
      this.#detail?.askAnew();
    });
    this.#panel.addEventListener("select", (event) =>
      this.#choose(/** @type {CustomEvent<string>} */ (event).detail),
    );
    this.#panel.addEventListener("click", (event) => this.#follow(event));
    this.#panel.addEventListener("seen", (event) =>
      store.dismiss(/** @type {CustomEvent<string[]>} */ (event).detail),
    );
  }

  /** The elements of the detail and the charts are defined now. */
  useDetail() {
    /** @type {PositionDetail} */
    const detail = part(document, "position-detail");
    detail.find = (ticker, account) => this.#store.find(ticker, account);
    detail.heldBy = (account) => this.#store.accounts.get(account)?.positions.values() ?? [];
    detail.addEventListener("say", (event) => say([/** @type {CustomEvent} */ (event).detail]));
    this.#detail = detail;
    this.#chart = part(document, "equity-chart");
    this.#chart.courses = this.#accounts.viewed.courses;
    this.#showSelection();
  }

  show() {
    const isNew = !this.#isShown;
    this.#isShown = true;
    this.#showSelection();
    if (isNew) return;
    // As after a link to another page: on from here, or back to where one came from.
    if (chosenIn(location.hash) === null) this.#panel.focusCard();
    else part(document, "#detail-title").focus();
  }

  hide() {
    this.#isShown = false;
  }

  /** @param {Changes} changes */
  draw(changes) {
    if (changes.membership || changes.keys.size > 0) {
      this.#panel.update(this.#store.positions, this.#store.ends, changes);
    }
    // A link may lead to one that nobody looks at yet.
    if (changes.membership || changes.elsewhere) this.#showSelection();
    else if (this.#isAbout(changes.keys)) this.#drawDetail();
    if (changes.portfolio) this.#drawSums(changes.membership);
    this.#panel.isKnown = this.#isKnown;
    this.#panel.unreadableCount = this.#unreadableCount;
  }

  /**
   * @param {ReadonlySet<number>} stale the accounts whose figures must not look live
   * @param {ReadonlySet<number>} live those that are followed
   */
  showConnections(stale, live) {
    if ([...live].some((id) => !this.#live.has(id))) {
      this.#chart?.askAgainSoon();
      this.#detail?.askAgainSoon();
    }
    this.#live = live;
    this.#stale = stale;
    this.#panel.showStale(stale);
    this.#showDetailsAge();
    this.#summaries.show(this.#sums.length, (summary, index) => {
      // A sum is as old as the oldest part of it.
      summary.toggleAttribute("data-stale", this.#sums[index].ids.some((id) => stale.has(id)));
    });
  }

  /**
   * Once a second.
   *
   * @param {string | null} updatedAt when a figure last changed
   * @param {number} now the server's clock, milliseconds since 1970
   */
  tick(updatedAt, now) {
    this.#panel.tick(updatedAt, now);
    this.#detail?.tick(now);
  }

  /** Who looks at another account has left the position that was chosen in this one. */
  leaveUnviewed() {
    const { position, end } = this.#chosen;
    const shown = position ?? end?.position;
    if (!shown || this.#accounts.viewed.includes(shown.account_id)) return;
    history.replaceState(null, "", location.pathname);
  }

  /** Whether the positions are known: until the exchange has been asked, none means nothing. */
  get #isKnown() {
    const accounts = this.#store.viewed;
    return (
      accounts.length > 0 && accounts.every(({ portfolio }) => portfolio.reconciled_at !== null)
    );
  }

  get #unreadableCount() {
    return this.#store.viewed.reduce(
      (sum, { portfolio }) => sum + (portfolio.unreadable_count ?? 0),
      0,
    );
  }

  /** @param {boolean} isAtOnce */
  #drawSums(isAtOnce) {
    const rest = SUMS_MS - (performance.now() - this.#sumsAt);
    if (rest > 0 && !isAtOnce) {
      this.#store.askForSums();
      return;
    }
    this.#sumsAt = performance.now();
    this.#sums = this.#accounts.viewed.sums;
    this.#summaries.show(this.#sums.length, (summary, index) => {
      const { heading, ids, portfolio } = this.#sums[index];
      summary.heading = heading;
      summary.ids = ids;
      summary.portfolio = portfolio ?? null;
    });
    if (this.#chart) this.#chart.courses = this.#accounts.viewed.courses;
  }

  /** Whether the detail tells of one of these: it has the whole event. @param {ReadonlySet<string>} keys */
  #isAbout(keys) {
    const selected = this.#selected;
    if (!selected) return false;
    for (const key of keys) {
      const position = this.#store.positions.get(key);
      if (position && isOfOneEvent(position, selected)) return true;
    }
    return false;
  }

  #drawDetail() {
    this.#selected = this.#stillOpen() ?? this.#selected;
    if (!this.#selected || !this.#detail) return;
    this.#detail.account = this.#accounts.viewed.nameOf(this.#selected.account_id);
    this.#detail.context = this.#contextOf(this.#selected.account_id);
    this.#detail.position = this.#selected;
  }

  /** @param {import("../store.js").End} end */
  #drawEnd(end) {
    if (!this.#detail) return;
    this.#detail.account = this.#accounts.viewed.nameOf(end.position.account_id);
    this.#detail.end = end;
  }

  /**
   * What is known of an account beside its positions, looked up for a dash only: they are many.
   *
   * @param {number} id
   * @returns {import("../words/unknown.js").Context}
   */
  #contextOf(id) {
    const [summaries, store] = [this.#summaries, this.#store];
    return {
      get isReading() {
        return summaries.elements.some((summary) => summary.isReadingOf(id));
      },
      get portfolio() {
        return store.accounts.get(id)?.portfolio ?? null;
      },
    };
  }

  #showDetailsAge() {
    const account = this.#selected?.account_id ?? NaN;
    this.#detail?.toggleAttribute("data-stale", this.#stale.has(account));
  }

  /** The position that the address chooses, or what became of it; looked at or not. */
  get #chosen() {
    const choice = chosenIn(location.hash);
    return choice ? this.#store.lookUp(choice.ticker, this.#whose(choice.accountId)) : {};
  }

  /** Where to look for it. @param {number | null} named in the address @returns {(number | null)[]} */
  #whose(named) {
    if (named !== null) return [named];
    const { hash, account } = this.#meant;
    // Who closes it here has not asked to see another account's.
    if (hash === location.hash && this.#accounts.viewed.includes(account)) return [account];
    const { view, accounts } = this.#store;
    if (view === null) return [null];
    // Before it is known what is held here, nothing is looked for elsewhere.
    return accounts.has(view) ? [view, null] : [view];
  }

  /** Let the address choose a position, where its detail is in sight beside the list. @param {string} key */
  #choose(key) {
    const position = this.#store.positions.get(key);
    if (!position || !matchMedia("(width >= 720px)").matches) return;
    const account = this.#accounts.viewed.nameOf(position.account_id) ? position.account_id : null;
    history.replaceState(null, "", positionAddress(position.ticker, account));
    this.#showSelection();
  }

  /** A link to where one is already changes no address. @param {Event} event */
  #follow({ target }) {
    const link = target instanceof Element ? target.closest("a") : null;
    if (link?.hash && link.hash === location.hash) this.show();
  }

  #showSelection() {
    const isChosen = chosenIn(location.hash) !== null;
    document.documentElement.toggleAttribute("data-chosen", isChosen);
    // Where there is room for both, the first position is shown until one is chosen.
    if (this.#meant.hash !== location.hash) this.#meant = { hash: "", account: NaN };
    const { position, end } = isChosen
      ? this.#chosen
      : { position: this.#stillOpen() ?? this.#panel.first, end: undefined };
    const shown = position ?? end?.position;
    if (shown && !this.#accounts.viewed.includes(shown.account_id)) {
      // A link to it leads to where it is; what is drawn next shows it.
      this.#accounts.lookAtAll();
      return;
    }
    if (isChosen && shown) this.#meant = { hash: location.hash, account: shown.account_id };
    this.#panel.selected = shown ? keyOf(shown) : null;
    this.#selected = position ?? null;
    if (position) this.#drawDetail();
    else if (end) this.#drawEnd(end);
    else this.#detail?.clear(isChosen && this.#isKnown ? "closed" : "none");
    this.#showDetailsAge();
    this.#detail?.tick(this.#store.serverNow);
  }

  #stillOpen() {
    return this.#selected ? this.#store.positions.get(keyOf(this.#selected)) : undefined;
  }
}
