// @ts-check
import { Asking } from "../detail/asking.js";
import { part } from "../elements/template.js";
import { writeText } from "../figures.js";
import { NoLibrary } from "./library.js";
import { onLookChange } from "./look.js";
import { Plot } from "./plot.js";
import { RANGES, beginningOf, chooseRange, chosenRange } from "./ranges.js";

/** @typedef {import("./plot.js").Data} Data */
/** @typedef {import("./ranges.js").Range} Range */

/** The server has a new point each minute; those that were drawn are asked for anew this often. */
const AGAIN_MS = 300_000;
/** And as soon as somebody looks, if there is one that is not drawn yet. */
const STALE_MS = 60_000;
/** What a worker that follows an account again has missed is in the records soon after. */
const CAUGHT_UP_MS = 3_000;

/**
 * What all charts have: ranges to choose from, one question to the server, a drawing, a line that is
 * read out, and a sentence where there is nothing to draw. The markup is in the page
 * (`dashboard/chart_parts.html`); `data-state` is `loading`, `drawn`, `empty` or `failed`.
 *
 * @abstract
 */
export class ChartElement extends HTMLElement {
  /** Until another is chosen, in this browser. @type {Range} */
  range = "1D";

  #asking = new Asking((known) => this.#know(known));
  /** @type {Plot | null} */
  #plot = null;
  #timer = 0;
  #soonTimer = 0;
  /** When it was last asked, by `performance.now()`. */
  #askedAt = -Infinity;
  /** Somebody who comes back after hours would see a line drawn over them. */
  #onSeen = () => {
    if (performance.now() - this.#askedAt > STALE_MS) this.#renew();
  };
  #forgetLook = () => {};

  // What each chart knows of itself --------------------------------------------------------

  /** Under which its range is remembered. @returns {string} */
  get chartName() {
    throw new Error("a chart has a name");
  }

  /**
   * @param {Date | null} _from null for the beginning
   * @returns {string | null} what is asked of the server; null for nothing
   */
  pathFrom(_from) {
    return null;
  }

  /** Take in the server's answer; undefined while there is none. @param {any} _answer */
  take(_answer) {}

  /** @returns {import("./plot.js").Plan} */
  get plan() {
    throw new Error("a chart draws something");
  }

  /** @returns {Data} what is drawn, if there is anything */
  get data() {
    return [[]];
  }

  /** What is said in place of a drawing, and of one: in words, and while nothing is pointed at. */
  get words() {
    return { nothing: "", summary: "", rest: "" };
  }

  // ----------------------------------------------------------------------------------------

  connectedCallback() {
    this.range = chosenRange(this.chartName, this.range);
    for (const choice of this.#choices) choice.checked = choice.value === this.range;
    if (!this.#plot) {
      this.#plot = new Plot(part(this, ".chart-box"), this.plan);
      this.addEventListener("change", ({ target }) => this.#choose(target));
      part(this, ".chart-again").addEventListener("click", () => this.#asking.renew(this.#path));
    }
    this.#plot.start();
    this.#forgetLook = onLookChange(() => this.#write());
    this.#timer = setInterval(() => this.#renew(), AGAIN_MS);
    document.addEventListener("visibilitychange", this.#onSeen);
    this.ask();
  }

  disconnectedCallback() {
    this.#plot?.stop();
    this.#forgetLook();
    document.removeEventListener("visibilitychange", this.#onSeen);
    clearInterval(this.#timer);
    clearTimeout(this.#soonTimer);
    this.#asking.end();
  }

  /** Ask for what is to be drawn instead. */
  ask() {
    if (!this.isConnected) return;
    this.#askedAt = performance.now();
    this.#asking.want(this.#path);
  }

  /** The account is followed again: its past may be another than the one that was drawn. */
  askAgainSoon() {
    clearTimeout(this.#soonTimer);
    this.#soonTimer = setTimeout(() => this.#renew(), CAUGHT_UP_MS);
  }

  /** Draw what there is. */
  async draw() {
    if (this.data[0].length === 0) {
      this.#say("empty", this.words.nothing);
      return;
    }
    this.#say("drawn", "");
    try {
      await this.#plot?.show(this.data, this.#span);
    } catch (error) {
      if (!(error instanceof NoLibrary)) throw error;
      this.#say("failed", error.message);
    }
    this.#write();
  }

  /** Above the drawing: what is pointed at, or what is said without. @param {string} text */
  read(text) {
    writeText(part(this, ".chart-reading"), text);
  }

  /** When the time that is shown begins, in seconds since 1970. */
  get begun() {
    return (beginningOf(this.range, Date.now()) ?? 0) / 1000;
  }

  /** @returns {[number, number]} the time that is shown, in seconds since 1970 */
  get #span() {
    const times = this.data[0];
    const ended = Math.max(Date.now() / 1000, times[times.length - 1]);
    // Of an account that is new a day would be empty but for its edge.
    return [Math.min(Math.max(this.begun, times[0]), ended - 60), ended];
  }

  /** @returns {NodeListOf<HTMLInputElement>} */
  get #choices() {
    return this.querySelectorAll(".chart-ranges input");
  }

  /** @param {EventTarget | null} target */
  #choose(target) {
    if (!(target instanceof HTMLInputElement)) return;
    const range = RANGES.find((known) => known === target.value);
    if (!range) return;
    this.range = range;
    chooseRange(this.chartName, range);
    this.ask();
  }

  #renew() {
    if (document.visibilityState !== "visible") return;
    this.#askedAt = performance.now();
    this.#asking.renew(this.#path);
  }

  get #path() {
    return this.pathFrom(this.begun === 0 ? null : new Date(this.begun * 1000));
  }

  /** @param {import("../detail/asking.js").Known} known */
  #know({ answer, error, isLoading }) {
    if (error && answer === undefined) this.#say("failed", error.message);
    // A renewal that failed leaves what was drawn, and is tried again.
    if (error) return;
    this.take(answer);
    if (isLoading) this.#say("loading", "Loading…");
    else this.draw();
  }

  /** @param {"loading" | "drawn" | "empty" | "failed"} state @param {string} text */
  #say(state, text) {
    if (this.dataset.state !== state) this.dataset.state = state;
    writeText(part(this, ".chart-note"), text);
    part(this, ".chart-again").hidden = state !== "failed";
    if (state !== "drawn") this.read("");
  }

  #write() {
    if (this.dataset.state !== "drawn") return;
    const { summary, rest } = this.words;
    writeText(part(this, ".chart-summary"), summary);
    if (!this.#plot?.isRead) this.read(rest);
  }
}
