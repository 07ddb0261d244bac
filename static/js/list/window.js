// @ts-check
/**
 * Which rows of a long list are in sight: only these are in the document.
 */

/** So many rows are all there: a short list is found by the browser's own search, and printed. */
const ALL_UP_TO = 50;

/** Rows beyond the edges, so that scrolling does not show a gap before the next frame. */
const BEYOND = 6;

/** However high the screen is. */
const MOST = 80;

/**
 * @param {object} view
 * @param {number} view.count of all rows
 * @param {number} view.rowHeight in pixels
 * @param {number} view.top how far the list is scrolled, in pixels
 * @param {number} view.height of what is in sight, in pixels
 * @returns {{first: number, end: number}} the first row, and the one after the last
 */
export function rowsInSight({ count, rowHeight, top, height }) {
  if (count <= ALL_UP_TO) return { first: 0, end: count };
  const seen = Math.ceil(height / rowHeight) + 1;
  const wanted = Math.min(seen + 2 * BEYOND, MOST, count);
  const first = Math.floor(top / rowHeight) - BEYOND;
  const start = Math.min(Math.max(first, 0), count - wanted);
  return { first: start, end: start + wanted };
}

/**
 * Where to scroll so that a row is in sight; null if it is.
 *
 * @param {number} index
 * @param {{rowHeight: number, top: number, height: number}} view
 */
export function scrollTo(index, { rowHeight, top, height }) {
  const from = index * rowHeight;
  if (from < top) return from;
  return from + rowHeight > top + height ? from + rowHeight - height : null;
}
