// @ts-check
/**
 * A market's prices as the holder of one side sees them: what is a high for YES is a low for NO.
 */

import { rest } from "../quote.js";
import { secondsOf } from "./series.js";

/** @typedef {import("./series.js").Point} Point */
/** @typedef {"yes" | "no"} Side */
/** @typedef {{open: string, high: string, low: string, close: string}} Span */

/**
 * The answer of `GET positions/{ticker}/candles`, all of YES.
 *
 * @typedef {object} Candle
 * @property {string} ends_at
 * @property {Span | null} price of trades; null if there was none
 * @property {string | null} previous_price
 * @property {number} minutes how long it lasts; told once for all of them
 */

/**
 * A price that stands from here on, and between what was traded until the next point.
 *
 * @typedef {Point & {low: string | null, high: string | null}} PricePoint
 */

/**
 * @typedef {object} FillPoint
 * @property {number} time
 * @property {string} price of the held side
 * @property {"bought" | "sold"} deed
 * @property {string} count
 */

/**
 * @param {readonly Candle[]} candles oldest first
 * @param {Side} side
 * @returns {PricePoint[]} only those with a price; without a trade the last one goes on
 */
export function priceSeries(candles, side) {
  /** @type {PricePoint[]} */
  const points = [];
  for (const { ends_at, price, previous_price, minutes } of candles) {
    const value = price ? price.close : previous_price;
    if (value === null) continue;
    const time = secondsOf(ends_at);
    if (price) begin(points, time - minutes * 60, ofSide(price, side));
    points.push({ time, value: sideOf(value, side), low: null, high: null });
  }
  return points;
}

/**
 * A period of trades begins: at the point before if that is where it ended.
 *
 * @param {PricePoint[]} points
 * @param {number} time
 * @param {Span} price
 */
function begin(points, time, { open, low, high }) {
  const last = points.at(-1);
  if (last && last.time >= time) Object.assign(last, { low, high });
  else points.push({ time, value: last?.value ?? open, low, high });
}

/**
 * Coarse candles until the first of the finer ones that tells of a trade, and those from there on.
 *
 * @param {readonly Candle[]} coarse
 * @param {readonly Candle[]} fine
 * @returns {readonly Candle[]}
 */
export function before(coarse, fine) {
  if (coarse.length === 0) return fine;
  const begun = fine.findIndex(({ price }) => price !== null);
  if (begun < 0) return coarse;
  const until = Date.parse(fine[begun].ends_at);
  return [...coarse.filter(({ ends_at }) => Date.parse(ends_at) < until), ...fine.slice(begun)];
}

/**
 * What a line shows of a time: its points within, and the price that it begins with.
 *
 * @param {PricePoint[]} points
 * @param {number} begun seconds since 1970
 * @returns {PricePoint[]}
 */
export function shownSince(points, begun) {
  const before = points.filter(({ time }) => time < begun).at(-1);
  const within = points.filter(({ time }) => time >= begun);
  return before ? [{ ...before, time: begun, low: null, high: null }, ...within] : within;
}

/**
 * The owner's own trades. What is bought of the other side is a sale of the held one.
 *
 * @param {readonly {at: string, side: Side, price: string, count: string}[]} fills
 * @param {Side} side
 * @returns {FillPoint[]}
 */
export function fillPoints(fills, side) {
  return fills.map((fill) => ({
    time: secondsOf(fill.at),
    price: fill.side === side ? fill.price : rest(fill.price),
    deed: fill.side === side ? "bought" : "sold",
    count: fill.count,
  }));
}

/**
 * @param {readonly PricePoint[]} points
 * @returns {[number[], ...(number | null)[][]]} times, close, low and high, as uPlot wants them
 */
export function priceColumns(points) {
  return [
    points.map(({ time }) => time),
    points.map(({ value }) => numberOf(value)),
    points.map(({ low, value }) => numberOf(low ?? value)),
    points.map(({ high, value }) => numberOf(high ?? value)),
  ];
}

/** @param {string} price of YES @param {Side} side */
function sideOf(price, side) {
  return side === "no" ? rest(price) : price;
}

/** @param {Span} price of YES @param {Side} side @returns {Span} */
function ofSide({ open, high, low, close }, side) {
  if (side === "yes") return { open, high, low, close };
  return { open: rest(open), high: rest(low), low: rest(high), close: rest(close) };
}

/** @param {string | null} text */
function numberOf(text) {
  return text === null ? null : Number(text);
}
