// @ts-check
import { onLookChange } from "../charts/look.js";
import { Asking } from "../detail/asking.js";
import { Explanations } from "../detail/explanations.js";
import { writeFigures } from "../detail/figure_nodes.js";
import { recordsOf } from "../detail/records.js";
import { Figures, writeText } from "../figures.js";
import { age } from "../format.js";
import { positionAddress } from "../position_address.js";
import { heldQuote, yesQuote } from "../quote.js";
import { closingText } from "../words/closing.js";
import { closesIn, closingTimes } from "../words/closing_time.js";
import { markNote, unreadableNote } from "../words/mark.js";
import { outcomeText } from "../words/outcome.js";
import { statusSentence, statusWord } from "../words/status.js";
import { focusOn, setHidden } from "./hiding.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("./event-outcomes.js").EventOutcomes} EventOutcomes */
/** @typedef {import("./market-records.js").MarketRecords} MarketRecords */
/** @typedef {import("./position-note.js").PositionNote} PositionNote */
/** @typedef {import("./price-chart.js").PriceChart} PriceChart */
/** @typedef {import("./sell-now.js").SellNow} SellNow */

/** The only place that a position's link may lead to. */
const EXCHANGE = "https://kalshi.com/";

/** The server sends so many fills with a position. A longer list is asked for by itself. */
const MOST_FILLS = 100;

/**
 * One position with all of its figures. Its markup is in the page.
 *
 * Attributes: `mark-price`, the server's `MARK_PRICE`. `data-state` tells what is shown:
 * `position`, `ended` (what became of it, and its records), `closed` (a note that it isn't open) or
 * `none`.
 */
export class PositionDetail extends HTMLElement {
  static define(tag = "position-detail", registry = customElements) {
    registry.define(tag, PositionDetail);
  }

  /** Whose it is; empty where that is clear. */
  account = "";
  /** What is known beside it. @type {import("../words/unknown.js").Context} */
  context = {};
  /** What is held of another market. @type {(ticker: string, accountId: number) => Position | undefined} */
  find = () => undefined;
  /** What an account holds. @type {(accountId: number) => Iterable<Position>} */
  heldBy = () => [];

  /** @type {Figures | null} */
  #figures = null;
  /** @type {Explanations | null} */
  #explanations = null;
  /** @type {Position | null} */
  #position = null;
  /** Of it and its event, as they were when all was asked for. */
  #recorded = "";
  /** @type {import("../detail/asking.js").Known} */
  #known = { answer: undefined, askedAt: -Infinity, error: null, isLoading: true };
  #asking = new Asking((known) => {
    const isFresh = known.answer !== this.#known.answer;
    this.#known = known;
    this.#showKnown();
    // What was told once must not come back over what has been written or asked for since.
    if (isFresh && known.answer) this.#learn(known);
    if (!known.isLoading) this.#note.answered();
  });
  #fills = new Asking(({ answer }) => {
    if (answer) this.#draw(answer.fills);
  });
  #forgetLook = () => {};
  #isBound = false;
  #onSight = () => {
    if (document.visibilityState === "visible") this.#asking.renew();
  };

  connectedCallback() {
    // Parts that nothing has changed are still to be written in another way.
    this.#forgetLook = onLookChange(() => this.#redraw());
    document.addEventListener("visibilitychange", this.#onSight);
    if (this.#isBound) return;
    this.#isBound = true;
    part(this, ".known-again").addEventListener("click", () => this.#asking.renew());
    this.#note.addEventListener("wish", () => this.#asking.renew());
  }

  disconnectedCallback() {
    this.#forgetLook();
    document.removeEventListener("visibilitychange", this.#onSight);
    this.#asking.end();
    this.#fills.end();
  }

  get position() {
    return this.#position;
  }

  set position(/** @type {Position | null} */ position) {
    const before = this.#position;
    this.#position = position;
    if (!position) return;
    this.#figures ??= new Figures(this);
    this.#explanations ??= new Explanations(part(this, ".detail-groups"), () =>
      this.#asking.renew(),
    );
    this.#figures.write(position, this.context);
    this.#write(position);
    this.#link(position.url);
    this.dataset.state = "position";
    this.#follow(before, position);
  }

  /** Its account is followed again: what its chart missed can be read soon. */
  askAgainSoon() {
    if (this.#position) this.#chart.askAgainSoon();
  }

  /** More of what happened has been read from the exchange. */
  askAnew() {
    if (this.#position) this.#asking.renew();
  }

  /** One that is no longer open, as it was last. @param {import("../store.js").End} end */
  set end({ position, closed }) {
    const before = this.#position;
    const isNews = this.dataset.state !== "ended" || !isSameMarket(before, position);
    this.#position = position;
    this.#write(position);
    writeText(part(this, ".detail-end"), closingText(closed, position));
    this.#link(position.url);
    this.dataset.state = "ended";
    const isRecorded = this.#record(position);
    // Its last records are news to what was told while it was open.
    if ((isNews || isRecorded) && !this.#look(before, position)) this.#asking.renew();
  }

  /**
   * Show that there is no position to show.
   *
   * @param {"none" | "closed"} state
   */
  clear(state) {
    this.#position = null;
    this.#asking.end();
    this.#fills.end();
    this.dataset.state = state;
  }

  /** @param {number} now the server's clock, milliseconds since 1970 */
  tick(now) {
    const pricedAt = this.#position?.priced_at;
    writeText(
      part(this, "[data-text=priced_age]"),
      pricedAt ? `last change ${age(pricedAt, now)} ago` : "",
    );
    if (!this.#position) return;
    writeText(part(this, "[data-text=closes_in]"), closesIn(this.#position, now));
  }

  // What the server knows beside the stream ------------------------------------------------

  /** @param {Position | null} before @param {Position} position */
  #follow(before, position) {
    this.#chart.position = position;
    this.#sale.position = position;
    const isRecorded = this.#record(position);
    if (!this.#look(before, position) && isRecorded) this.#asking.renew();
  }

  /**
   * Whether something was traded or paid, in it or another market of its event.
   *
   * @param {Position} position
   */
  #record(position) {
    const before = this.#recorded;
    this.#recorded = recordsOf(position, this.heldBy(position.account_id));
    return this.#recorded !== before;
  }

  /**
   * Ask what is known of its market, unless it is the one that was looked at before.
   *
   * @param {Position | null} before
   * @param {Position} position
   */
  #look(before, position) {
    if (isSameMarket(before, position)) return false;
    const { ticker, account_id } = position;
    this.#explanations?.close();
    this.#fills.end();
    // Those of one market are not drawn on the prices of another.
    this.#chart.fills = [];
    this.#note.of = position;
    this.#records.of = position;
    this.#asking.want(`positions/${encodeURIComponent(ticker)}?account=${account_id}`);
    return true;
  }

  #showKnown() {
    const { answer, error, isLoading } = this.#known;
    const trouble = error ? `The rest could not be read: ${error.message}` : "";
    writeText(part(this, ".known-note"), trouble);
    setHidden(part(this, ".known-trouble"), !error, () => focusOn("detail-title"));
    this.#explanations?.show(answer?.explanation, trouble || (isLoading ? "Loading…" : ""));
    // After a failure what would be paid may be of what was held before.
    this.#showMatrix(error ? null : (answer?.settlement_matrix ?? null));
  }

  /** @param {import("../detail/asking.js").Known} known with an answer that is new */
  #learn({ answer, askedAt }) {
    const position = this.#position;
    if (!position) return;
    this.#note.learn(answer.note, askedAt);
    this.#records.fills = answer.fills;
    this.#draw(answer.fills);
    if (answer.fills.length < MOST_FILLS) return;
    const { ticker, account_id } = position;
    const path = `fills?account=${account_id}&ticker=${encodeURIComponent(ticker)}&limit=1000`;
    this.#fills.renew(path);
  }

  /** @param {any[]} fills of what has ended nothing is drawn */
  #draw(fills) {
    if (this.dataset.state === "position") this.#chart.fills = fills;
  }

  /** @param {any} matrix */
  #showMatrix(matrix) {
    const position = this.#position;
    const [wins, loses] =
      position?.side === "no" ? [matrix?.if_no, matrix?.if_yes] : [matrix?.if_yes, matrix?.if_no];
    writeFigures(this, "if_wins", wins ?? null);
    writeFigures(this, "if_loses", loses ?? null);
    this.#event.find = (ticker) => this.find(ticker, position?.account_id ?? NaN);
    this.#event.event = matrix?.event ?? null;
  }

  #redraw() {
    this.#showKnown();
    this.#sale.draw();
    this.#records.draw();
  }

  // ----------------------------------------------------------------------------------------

  /** @param {Position} position */
  #write(position) {
    const side = position.side.toUpperCase();
    const held = outcomeText(position);
    const texts = {
      title: position.title ?? position.ticker,
      account: this.account,
      outcome: held.outcome,
      winning: held.sentence,
      side,
      ticker: position.ticker,
      event_ticker: position.event_ticker ?? "—",
      series_ticker: position.series_ticker ?? "—",
      market_status: statusWord(position),
      market_stands: statusSentence(position),
      decided: closingTimes(position),
      mark_note: markNote(position, this.getAttribute("mark-price") ?? "bid"),
      mark_source: position.mark_source ?? "—",
      unreadable: unreadableNote(position.unreadable),
    };
    for (const [name, text] of Object.entries(texts)) {
      for (const node of this.querySelectorAll(`[data-text="${name}"]`)) writeText(node, text);
    }
    writeFigures(this, "yes", { ...yesQuote(position) });
    writeFigures(this, "held", { ...heldQuote(position) });
    /** @type {NodeListOf<HTMLElement>} */
    const ofOther = this.querySelectorAll(".of-no");
    for (const line of ofOther) line.hidden = position.side !== "no";
  }

  /** @param {string | null} url */
  #link(url) {
    /** @type {HTMLAnchorElement} */
    const link = part(this, ".detail-market");
    const isSafe = url !== null && url.startsWith(EXCHANGE);
    link.hidden = !isSafe;
    if (isSafe && link.href !== url) link.href = url;
    /** @type {HTMLAnchorElement} */
    const own = part(this, ".detail-link");
    const { ticker = "", account_id } = this.#position ?? {};
    own.href = positionAddress(ticker, account_id ?? null);
  }

  /** @returns {PriceChart} */
  get #chart() {
    return part(this, "price-chart");
  }

  /** @returns {SellNow} */
  get #sale() {
    return part(this, "sell-now");
  }

  /** @returns {EventOutcomes} */
  get #event() {
    return part(this, "event-outcomes");
  }

  /** @returns {MarketRecords} */
  get #records() {
    return part(this, "market-records");
  }

  /** @returns {PositionNote} */
  get #note() {
    return part(this, "position-note");
  }
}

/** @param {Position | null} one @param {Position} other */
function isSameMarket(one, other) {
  return one?.ticker === other.ticker && one.account_id === other.account_id;
}
