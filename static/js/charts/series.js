// @ts-check
/**
 * From the server's documents to what a chart draws. Only here do figures become floating-point
 * numbers: a pixel is no money. What is read out beside a chart is the exact string.
 */

/**
 * A value at an instant; null where nothing is known, which breaks the line.
 *
 * @typedef {object} Point
 * @property {number} time seconds since 1970
 * @property {string | null} value
 */

/**
 * Money that came in or went out, which is no gain and no loss.
 *
 * @typedef {object} Flow
 * @property {number} time seconds since 1970
 * @property {string} amount
 */

/**
 * The answer of `GET equity`.
 *
 * @typedef {object} EquityDocument
 * @property {readonly {at: string, total_value: string, net_transfers: string}[]} points
 * @property {readonly {from: string, to: string}[]} gaps
 */

/** Of this share of the whole time a gap is wide enough to be seen. */
const SEEN_SHARE = 1 / 200;

/** @param {string} instant RFC 3339 @returns {number} seconds since 1970 */
export function secondsOf(instant) {
  return Date.parse(instant) / 1000;
}

/**
 * An account's value over time, with a point of nothing inside each gap.
 *
 * @param {EquityDocument} document
 * @returns {{points: Point[], flows: Flow[]}}
 */
export function equitySeries({ points, gaps }) {
  const known = points.map(({ at, total_value }) => ({ time: secondsOf(at), value: total_value }));
  const flows = points
    .filter(({ net_transfers }) => /[1-9]/.test(net_transfers))
    .map(({ at, net_transfers }) => ({ time: secondsOf(at), amount: net_transfers }));
  return { points: withGaps(known, gaps), flows };
}

/**
 * @param {Point[]} points in order
 * @param {EquityDocument["gaps"]} gaps
 * @returns {Point[]} in order
 */
function withGaps(points, gaps) {
  const span = (points.at(-1)?.time ?? 0) - (points[0]?.time ?? 0);
  const holes = gaps
    .map(({ from, to }) => ({ from: secondsOf(from), to: secondsOf(to) }))
    // A narrower one can't be seen, and would tear thinned points apart.
    .filter(({ from, to }) => to - from > span * SEEN_SHARE)
    .map(({ from, to }) => /** @type {Point} */ ({ time: (from + to) / 2, value: null }));
  return [...points, ...holes].sort((one, other) => one.time - other.time);
}

/**
 * A line with the value of this moment at its end.
 *
 * The newest replaces the one before unless that is old enough to stay, so that the line grows no
 * faster than the stored one.
 *
 * @param {readonly Point[]} points
 * @param {Point} newest
 * @param {number} storedUntil the last time that the server told; what is newer was put here
 * @param {number} seconds how far apart those are that stay
 * @returns {Point[]}
 */
export function withNewest(points, newest, storedUntil, seconds) {
  const last = points.at(-1);
  if (!last) return [newest];
  if (newest.time <= last.time) return [...points];
  const before = points.at(-2);
  const isOurs = last.time > storedUntil;
  const isYoung = last.time - Math.max(before?.time ?? storedUntil, storedUntil) < seconds;
  return isOurs && isYoung ? [...points.slice(0, -1), newest] : [...points, newest];
}

/**
 * What there is to say of a line without seeing it.
 *
 * @param {readonly Point[]} points
 * @returns {{first: Point, last: Point, lowest: Point, highest: Point} | null} null without a value
 */
export function extremes(points) {
  const known = points.filter(({ value }) => value !== null);
  if (known.length === 0) return null;
  let [lowest, highest] = [known[0], known[0]];
  for (const point of known) {
    if (Number(point.value) < Number(lowest.value)) lowest = point;
    if (Number(point.value) > Number(highest.value)) highest = point;
  }
  return { first: known[0], last: known[known.length - 1], lowest, highest };
}

/**
 * @param {readonly Point[]} points
 * @returns {[number[], (number | null)[]]} as uPlot wants them
 */
export function columns(points) {
  return [
    points.map(({ time }) => time),
    points.map(({ value }) => (value === null ? null : Number(value))),
  ];
}
