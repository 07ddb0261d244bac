// @ts-check
import { ChartElement } from "../charts/chart_element.js";
import { drawDot, drawInstant } from "../charts/drawing.js";
import { dollarLabels } from "../charts/labels.js";
import { inWords } from "../charts/ranges.js";
import { roomFor } from "../charts/scale.js";
import { columns, equitySeries, extremes, withNewest } from "../charts/series.js";
import { figureText } from "../figures.js";
import { dateTime } from "../format.js";
import { part } from "./template.js";

/** @typedef {import("../charts/series.js").Point} Point */

/**
 * A sum whose course can be shown.
 *
 * @typedef {object} Course
 * @property {string} name for the choice among several
 * @property {string} of whose, as a query: `account=3`, or `account=all&environment=demo`
 * @property {Pick<import("../types.js").Portfolio, "total_value" | "updated_at"> | null} portfolio
 *   as it is now
 */

/** Points of the server, which keeps one a minute. */
const POINTS = 400;
const MINUTE_SECONDS = 60;
const LIVE_MS = 1000;

/**
 * What an account was worth over time, up to this moment. Set `courses`, as often as the sums
 * change: what is drawn changes once a second.
 */
export class EquityChart extends ChartElement {
  static define(tag = "equity-chart", registry = customElements) {
    registry.define(tag, EquityChart);
  }

  /** @type {readonly Course[]} */
  #courses = [];
  /** Whose is shown. */
  #of = "";
  /** @type {Point[]} */
  #points = [];
  /** @type {import("../charts/series.js").Flow[]} */
  #flows = [];
  #storedUntil = 0;
  #isKnown = false;
  #liveTimer = 0;

  set courses(/** @type {readonly Course[]} */ courses) {
    const hasChanged = courses.map(({ of }) => of).join() !== this.#courses.map(({ of }) => of).join();
    this.#courses = courses;
    if (hasChanged) this.#offer();
    this.#liveTimer ||= setTimeout(() => this.#live(), LIVE_MS);
  }

  connectedCallback() {
    super.connectedCallback();
    this.#select.addEventListener("change", () => this.#look(this.#select.value));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#liveTimer);
    this.#liveTimer = 0;
  }

  get chartName() {
    return "equity";
  }

  /** @param {Date | null} from */
  pathFrom(from) {
    if (!this.#of) return null;
    const since = from ? `&from=${from.toISOString()}` : "";
    return `equity?${this.#of}&points=${POINTS}${since}`;
  }

  /** @param {import("../charts/series.js").EquityDocument | undefined} answer */
  take(answer) {
    this.#isKnown = answer !== undefined;
    if (!answer) return;
    const { points, flows } = equitySeries(answer);
    this.#storedUntil = points.at(-1)?.time ?? 0;
    [this.#points, this.#flows] = [points, flows];
    this.#extend();
  }

  get data() {
    return columns(this.#points);
  }

  get words() {
    const found = extremes(this.#points);
    const nothing = "Nothing is recorded of this time. A point is kept each minute.";
    if (!found) return { nothing, summary: "", rest: "" };
    const { first, last, lowest, highest } = found;
    return {
      nothing,
      summary:
        `Over ${inWords(this.range)}: at first ${text(first)}; lowest ${text(lowest)}; ` +
        `highest ${text(highest)}; at last ${text(last)}.`,
      rest: `Lowest ${money(lowest.value)} · highest ${money(highest.value)}`,
    };
  }

  /** @returns {import("../charts/plot.js").Plan} */
  get plan() {
    return {
      lines: (colours) => ({
        series: [{ stroke: () => colours().accent, width: 2, points: { show: false } }],
      }),
      room: (low, high) => roomFor([low ?? 0, high ?? 0], 2),
      labels: dollarLabels,
      draw: (plot, colours) => {
        for (const { time } of this.#flows) drawInstant(plot, time, colours.muted);
        const last = extremes(this.#points)?.last;
        if (last) drawDot(plot, last.time, Number(last.value), colours.accent);
      },
      text: (index) => this.#textAt(index),
      onRead: (index) => this.read(index === null ? this.words.rest : this.#textAt(index)),
    };
  }

  /** @returns {HTMLSelectElement} */
  get #select() {
    return part(this, "select");
  }

  #offer() {
    const options = this.#courses.map(({ name, of }) => new Option(name, of));
    this.#select.replaceChildren(...options);
    this.#select.hidden = part(this, "label").hidden = options.length < 2;
    const isThere = this.#courses.some(({ of }) => of === this.#of);
    this.#look(isThere ? this.#of : (this.#courses[0]?.of ?? ""));
  }

  /** @param {string} of */
  #look(of) {
    this.#select.value = of;
    if (of === this.#of) return;
    this.#of = of;
    this.#points = [];
    this.ask();
  }

  #live() {
    this.#liveTimer = 0;
    // A tab that nobody sees draws nothing; it catches up with the next change.
    if (this.#isKnown && document.visibilityState === "visible" && this.#extend()) this.draw();
  }

  /** @returns {boolean} whether there was anything new */
  #extend() {
    const portfolio = this.#courses.find(({ of }) => of === this.#of)?.portfolio;
    if (!portfolio || portfolio.total_value === null || !portfolio.updated_at) return false;
    const newest = { time: Date.parse(portfolio.updated_at) / 1000, value: portfolio.total_value };
    const last = this.#points.at(-1);
    if (last && last.time >= newest.time) return false;
    this.#points = withNewest(this.#points, newest, this.#storedUntil, MINUTE_SECONDS);
    return true;
  }

  /** @param {number} index */
  #textAt(index) {
    const point = this.#points[index];
    if (!point) return "";
    const flow = this.#flows.find(({ time }) => time === point.time);
    if (!flow) return text(point);
    const came = flow.amount.startsWith("-") ? "Withdrawn" : "Deposited";
    return `${text(point)} · ${came}: ${money(flow.amount.replace("-", ""))}`;
  }
}

/** @param {Point} point */
function text({ time, value }) {
  const at = dateTime(new Date(time * 1000).toISOString());
  return value === null ? `${at}: not recorded` : `${at}: ${money(value)}`;
}

/** @param {string | null} value */
function money(value) {
  return figureText("total_value", value);
}
