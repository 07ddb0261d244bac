// @ts-check
/**
 * The table's columns beside the position itself, and which of them there is room for. Pure.
 */

/** The position's own: its title has to be told from others. */
const POSITION = { least: 196, share: 4 };

/**
 * The room each takes: pixels that its figures need, and its share of what is left.
 *
 * @type {Readonly<Record<string, {least: number, share: number}>>}
 */
const COLUMNS = {
  quantity: { least: 60, share: 0.6 },
  average: { least: 56, share: 0.6 },
  mark: { least: 96, share: 1 },
  value: { least: 84, share: 0.9 },
  pnl: { least: 108, share: 1 },
  percent: { least: 60, share: 0.6 },
  day: { least: 84, share: 0.9 },
  closes: { least: 92, share: 0.8 },
};

/** Where there is no room for all the first gives way first: what follows from others, or the detail has. */
const GIVE_WAY = ["percent", "average", "quantity", "day", "closes", "mark", "value"];

/**
 * Those shown, in the table's order.
 *
 * @param {object} table
 * @param {number} table.room of a row, in pixels, without its padding and what the pin takes
 * @param {number} table.gap between two columns
 * @param {readonly string[]} table.hidden those that nobody wants to see
 * @param {string} table.sorted what it is sorted by: seen as long as anything is
 */
export function columnsIn({ room, gap, hidden, sorted }) {
  let shown = Object.keys(COLUMNS).filter((name) => !hidden.includes(name));
  for (const name of GIVE_WAY) {
    if (leastOf(shown, gap) <= room) break;
    if (name !== sorted) shown = shown.filter((each) => each !== name);
  }
  return shown;
}

/** As `grid-template-columns` has them. @param {readonly string[]} shown */
export function tracksOf(shown) {
  const columns = shown.map((name) => `[${name}] ${track(COLUMNS[name])}`);
  return [track(POSITION), ...columns].join(" ");
}

/** All columns there are. */
export const COLUMN_NAMES = Object.freeze(Object.keys(COLUMNS));

/** @param {readonly string[]} shown @param {number} gap */
function leastOf(shown, gap) {
  return shown.reduce((sum, name) => sum + gap + COLUMNS[name].least, POSITION.least);
}

/** @param {{least: number, share: number}} column */
function track({ least, share }) {
  return `minmax(${least}px, ${share}fr)`;
}
