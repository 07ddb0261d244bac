// @ts-check
import { ChartElement } from "../charts/chart_element.js";
import { drawDot, drawFill, drawLevel } from "../charts/drawing.js";
import { priceLabels } from "../charts/labels.js";
import { before, fillPoints, priceColumns, priceSeries, shownSince } from "../charts/prices.js";
import { faint } from "../charts/look.js";
import { inWords } from "../charts/ranges.js";
import { roomForPrices } from "../charts/scale.js";
import { extremes, secondsOf } from "../charts/series.js";
import { Asking } from "../detail/asking.js";
import { rest } from "../quote.js";
import { figureText } from "../figures.js";
import { dateTime } from "../format.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../charts/prices.js").Candle} Candle */
/** @typedef {{minutes: number, candles: Omit<Candle, "minutes">[]}} CandlesDocument */
/** @typedef {import("../charts/prices.js").PricePoint} PricePoint */
/** @typedef {import("../charts/prices.js").FillPoint} FillPoint */

/** As far back as the server answers at once. */
const LONGEST_MS = 4_990 * 86_400_000;
const LIVE_MS = 1000;
/** Of so long a time the server tells candles of an hour; of a day those of a minute. */
const BY_THE_HOUR_MS = 4 * 86_400_000;
const HOUR_SECONDS = 3_600;
/** What of a position its chart shows. */
const FOLLOWED = /** @type {const} */ (["side", "average_price", "last_price"]);

/**
 * What the held side of a market traded at, with what was paid for it and the owner's own trades.
 * Set `position`, and `fills` once they are known.
 */
export class PriceChart extends ChartElement {
  static define(tag = "price-chart", registry = customElements) {
    registry.define(tag, PriceChart);
  }

  // Most markets trade too seldom for a day to show where they come from.
  /** @type {import("../charts/ranges.js").Range} */
  range = "1W";

  /** @type {Position | null} */
  #position = null;
  /** @type {readonly Candle[]} */
  #candles = [];
  /** @type {PricePoint[]} */
  #points = [];
  /** @type {FillPoint[]} */
  #own = [];
  /** @type {readonly any[]} */
  #fills = [];
  #liveTimer = 0;
  /** Candles of an hour, from before the first of a minute. @type {readonly Candle[]} */
  #earlier = [];
  #askingEarlier = new Asking(({ answer, isLoading }) => {
    this.#earlier = candlesOf(answer);
    if (isLoading) return;
    this.#see();
    this.draw();
  });

  set position(/** @type {Position} */ position) {
    const last = this.#position;
    this.#position = position;
    if (last?.ticker !== position.ticker || last.account_id !== position.account_id) {
      this.fills = [];
      this.ask();
    } else if (FOLLOWED.some((field) => last[field] !== position[field])) {
      this.#liveTimer ||= setTimeout(() => this.#live(), LIVE_MS);
    }
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#askingEarlier.end();
    clearTimeout(this.#liveTimer);
    this.#liveTimer = 0;
  }

  /** The owner's, as `GET fills` tells them. */
  set fills(/** @type {readonly any[]} */ fills) {
    this.#fills = fills;
    this.#see();
    if (this.dataset.state === "drawn") this.draw();
  }

  get chartName() {
    return "price";
  }

  /** @param {Date | null} from */
  pathFrom(from) {
    if (!this.#position) return null;
    const { ticker, account_id } = this.#position;
    const since = from ?? new Date(Date.now() - LONGEST_MS);
    const path = `positions/${encodeURIComponent(ticker)}/candles`;
    return `${path}?account=${account_id}&from=${since.toISOString()}`;
  }

  /** @param {CandlesDocument | undefined} answer */
  take(answer) {
    this.#candles = candlesOf(answer);
    if (answer && this.range === "1D" && this.#beginsLate) {
      // Where minutes are not kept as long as a day, hours are.
      this.#askingEarlier.renew(this.pathFrom(new Date(Date.now() - BY_THE_HOUR_MS)));
    } else if (!answer || this.range !== "1D") {
      this.#askingEarlier.end();
      this.#earlier = [];
    }
    this.#see();
  }

  get #beginsLate() {
    const first = this.#candles.find(({ price }) => price !== null);
    return !first || secondsOf(first.ends_at) > this.begun + HOUR_SECONDS;
  }

  get data() {
    return priceColumns(this.#points);
  }

  get words() {
    const found = extremes(this.#points);
    const nothing =
      this.range === "All"
        ? "There have been no trades yet."
        : `There were no trades within ${inWords(this.range)}.`;
    if (!found) return { nothing, summary: "", rest: "" };
    const { first, last, lowest, highest } = found;
    const side = this.#position?.side.toUpperCase();
    return {
      nothing,
      summary:
        `${side} over ${inWords(this.range)}: at first ${text(first)}; lowest ${text(lowest)}; ` +
        `highest ${text(highest)}; at last ${text(last)}.`,
      rest: `${side}: lowest ${price(lowest.value)} · highest ${price(highest.value)}`,
    };
  }

  /** @returns {import("../charts/plot.js").Plan} */
  get plan() {
    return {
      lines: (colours, library) => {
        // A price stands until the next trade.
        const paths = library.paths.stepped?.({ align: 1 });
        const edge = { paths, stroke: "transparent", points: { show: false } };
        const line = { ...edge, stroke: () => colours().accent, width: 2 };
        return {
          series: [line, edge, edge],
          bands: [{ series: [3, 2], fill: () => faint(colours().accent) }],
        };
      },
      room: (low, high) => roomForPrices(this.#inSight(low, high)),
      labels: priceLabels,
      draw: (plot, colours) => {
        const paid = this.#position?.average_price;
        if (paid) drawLevel(plot, Number(paid), colours.warning);
        const last = this.#points.at(-1);
        if (last?.value) drawDot(plot, last.time, Number(last.value), colours.accent);
        for (const fill of this.#own) drawFill(plot, fill, colours);
      },
      text: (index) => text(this.#points[index]),
      onRead: (index) => this.read(index === null ? this.words.rest : text(this.#points[index])),
    };
  }

  #live() {
    this.#liveTimer = 0;
    if (document.visibilityState !== "visible" || this.dataset.state !== "drawn") return;
    this.#see();
    this.draw();
  }

  #see() {
    const { side, last_price } = this.#position ?? { side: "yes", last_price: null };
    const candles = before(this.#earlier, this.#candles);
    this.#points = shownSince(priceSeries(candles, side), this.begun);
    const last = this.#points.at(-1);
    if (last && last_price !== null) {
      // The last trade's price is the price until there is another.
      const value = side === "yes" ? last_price : rest(last_price);
      const time = Math.max(last.time + 1, Date.now() / 1000);
      this.#points.push({ time, value, low: null, high: null });
    }
    this.#own = fillPoints(this.#fills, side);
  }

  /** @param {number | null} low @param {number | null} high */
  #inSight(low, high) {
    const paid = this.#position?.average_price;
    const since = this.#points[0]?.time ?? 0;
    const own = this.#own.filter(({ time }) => time >= since).map((fill) => Number(fill.price));
    return [low ?? 0, high ?? 1, ...(paid ? [Number(paid)] : []), ...own];
  }
}

/** @param {CandlesDocument | undefined} answer @returns {Candle[]} */
function candlesOf(answer) {
  return (answer?.candles ?? []).map((each) => ({ ...each, minutes: answer?.minutes ?? 1 }));
}

/** @param {import("../charts/series.js").Point | undefined} point */
function text(point) {
  if (!point) return "";
  return `${dateTime(new Date(point.time * 1000).toISOString())}: ${price(point.value)}`;
}

/** @param {string | null} value */
function price(value) {
  return figureText("mark", value);
}
