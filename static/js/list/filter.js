// @ts-check
/**
 * Finding positions by typing.
 */

/** @typedef {import("../types.js").Position} Position */
/** @typedef {(position: Position, accountName: string) => boolean} Matcher */

/**
 * @param {string} text words, of which each must be somewhere in what names the position
 * @returns {Matcher | null} null if all match
 */
export function matcher(text) {
  const words = folded(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  return (position, accountName) => {
    const { ticker, event_ticker, title, outcome, side } = position;
    const names = folded([ticker, event_ticker, title, outcome, side, accountName].join(" "));
    return words.every((word) => names.includes(word));
  };
}

/** Without case and accents: nobody types them to search. @param {string} text */
function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
