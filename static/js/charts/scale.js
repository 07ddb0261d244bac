// @ts-check
/**
 * From where to where an axis goes.
 */

/**
 * Room for all values, and a little more.
 *
 * @param {readonly number[]} values at least one
 * @param {number} least how much there is to see at least: without it a cent would fill the chart
 * @returns {[number, number]}
 */
export function roomFor(values, least) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((high - low) * 0.08, (least - (high - low)) / 2);
  return [low - margin, high + margin];
}

/**
 * The same for prices, which lie between nothing and a dollar.
 *
 * @param {readonly number[]} values
 * @returns {[number, number]}
 */
export function roomForPrices(values) {
  const [low, high] = roomFor(values, 0.04);
  return [Math.max(0, low), Math.min(1, high)];
}
