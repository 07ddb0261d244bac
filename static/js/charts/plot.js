// @ts-check
/**
 * One drawing of uPlot in a box of the page: as large as the box, in the colours of the theme, and
 * read out by pointer or arrow keys.
 */

import { timeLabels } from "./labels.js";
import { loadLibrary } from "./library.js";
import { coloursAt, isPrivate, onLookChange } from "./look.js";

/** @typedef {import("./look.js").Colours} Colours */
/** @typedef {import("./library.js").Library} Library */
/** @typedef {import("uplot")} UPlot */
/** @typedef {import("uplot").Series} Series */
/** @typedef {import("uplot").Band} Band */

/**
 * What is drawn.
 *
 * @typedef {object} Plan
 * @property {(colours: () => Colours, library: Library) => {series: Series[], bands?: Band[]}} lines
 * @property {(low: number | null, high: number | null) => [number, number]} room of the values
 * @property {(values: readonly number[], distance: number) => string[]} labels
 * @property {(plot: UPlot, colours: Colours) => void} draw what is no line
 * @property {(index: number) => string} text of a point, for people
 * @property {(index: number | null) => void} onRead the point that is pointed at
 */

/** @typedef {[number[], ...(number | null)[][]]} Data times in seconds, then each line */

const FONT = "12px system-ui, sans-serif";
const MASK = "•••";
/** Half of the widest time, "30 de nov.": under a chart's last instant it is centred like any other. */
const BESIDE = 32;

export class Plot {
  #box;
  #plan;
  /** What a screen reader says of it while no point is read. */
  #hint;
  /** @type {UPlot | null} */
  #plot = null;
  /** @type {Data} */
  #data = [[]];
  /** @type {[number, number]} */
  #span = [0, 1];
  /** @type {Colours | null} */
  #colours = null;
  #resizing = new ResizeObserver(() => this.#fit());
  #forgetLook = () => {};

  /** @param {HTMLElement} box @param {Plan} plan */
  constructor(box, plan) {
    this.#box = box;
    this.#plan = plan;
    this.#hint = box.getAttribute("aria-valuetext") ?? "";
    box.addEventListener("keydown", (event) => this.#onKey(event));
    box.addEventListener("blur", () => this.#point(null));
  }

  start() {
    this.#resizing.observe(this.#box);
    this.#forgetLook = onLookChange(() => {
      this.#colours = null;
      this.#plot?.redraw(false, true);
      // What is read out may have to be masked now, or said in another language.
      if (this.isRead) this.#read(this.#plot?.cursor.left ?? -1, this.#plot?.cursor.idx ?? null);
    });
  }

  stop() {
    this.#resizing.disconnect();
    this.#forgetLook();
    this.#plot?.destroy();
    this.#plot = null;
  }

  /**
   * Draw these.
   *
   * @param {Data} data
   * @param {[number, number]} span of time, seconds since 1970
   * @throws {import("./library.js").NoLibrary}
   */
  async show(data, span) {
    this.#data = data;
    this.#span = span;
    const last = String(data[0].length - 1);
    this.#box.setAttribute("aria-valuemax", last);
    if (!this.isRead) this.#box.setAttribute("aria-valuenow", last);
    if (this.#plot) this.#plot.setData(/** @type {any} */ (data)); // its type forbids null inside
    else await this.#make();
  }

  async #make() {
    const library = await loadLibrary();
    // Another may have come first, or the element may be gone; hidden it has no size yet.
    if (this.#plot || !this.#box.isConnected || this.#box.clientWidth === 0) return;
    const data = /** @type {any} */ (this.#data);
    this.#plot = new library(this.#options(library), data, this.#box);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#box;
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height });
    // What could not be loaded has been said when it was asked for.
    else if (this.#data[0].length > 0) this.#make().catch(() => {});
  }

  /** Whether a point of it is pointed at. */
  get isRead() {
    return (this.#plot?.cursor.left ?? -1) >= 0;
  }

  get #now() {
    return (this.#colours ??= coloursAt(this.#box));
  }

  /** @param {Library} library @returns {import("uplot").Options} */
  #options(library) {
    const { series, bands } = this.#plan.lines(() => this.#now, library);
    const axis = {
      font: FONT,
      stroke: () => this.#now.muted,
      grid: { stroke: () => this.#now.line, width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.#box.clientWidth,
      height: this.#box.clientHeight,
      padding: [8, BESIDE, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 9 } },
      scales: {
        x: { time: true, range: () => this.#span },
        y: { range: (_, low, high) => this.#plan.room(low, high) },
      },
      axes: [
        { ...axis, size: 26, space: 72, values: (_, times, __, ___, apart) => timeLabels(times, apart) },
        {
          ...axis,
          space: 36,
          size: (_, values) => 18 + 7 * Math.max(3, ...(values ?? []).map(({ length }) => length)),
          values: (_, values, __, ___, apart) =>
            isPrivate() ? values.map(() => MASK) : this.#plan.labels(values, apart),
        },
      ],
      series: [{}, ...series],
      bands,
      hooks: {
        draw: [(plot) => this.#plan.draw(plot, this.#now)],
        setCursor: [(plot) => this.#read(plot.cursor.left ?? -1, plot.cursor.idx ?? null)],
      },
    };
  }

  /** @param {number} left @param {number | null} index */
  #read(left, index) {
    const read = left < 0 ? null : index;
    this.#plan.onRead(read);
    const text = read === null ? this.#hint : this.#plan.text(read);
    if (this.#box.getAttribute("aria-valuetext") !== text) this.#box.setAttribute("aria-valuetext", text);
    if (read !== null) this.#box.setAttribute("aria-valuenow", String(read));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const last = this.#data[0].length - 1;
    const at = this.isRead ? this.#plot?.cursor.idx : null;
    const index = {
      ArrowLeft: at == null ? last : Math.max(0, at - 1),
      ArrowRight: at == null ? last : Math.min(last, at + 1),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape" && at != null) this.#point(null);
    else if (index !== undefined && last >= 0) this.#point(index);
    else return;
    event.preventDefault();
    // The page's own arrow keys move from position to position.
    event.stopPropagation();
  }

  /** @param {number | null} index */
  #point(index) {
    if (!this.#plot) return;
    const left = index === null ? -10 : this.#plot.valToPos(this.#data[0][index], "x");
    this.#plot.setCursor({ left, top: index === null ? -10 : 0 });
  }
}
