// @ts-check
/**
 * The part of the address that chooses a position: `#/position/<ticker>`, and whose it is where
 * several accounts are looked at: `#/position/<ticker>/<account's id>`.
 */

/**
 * @param {string} ticker
 * @param {number | null} accountId null where it goes without saying
 */
export function positionAddress(ticker, accountId) {
  const account = accountId === null ? "" : `/${accountId}`;
  return `#/position/${encodeURIComponent(ticker)}${account}`;
}

/**
 * @param {string} hash
 * @returns {{ticker: string, accountId: number | null} | null} null if it chooses none
 */
export function chosenIn(hash) {
  const match = /^#\/position\/([^/]+)(?:\/(\d+))?$/.exec(hash);
  if (!match) return null;
  try {
    return { ticker: decodeURIComponent(match[1]), accountId: match[2] ? Number(match[2]) : null };
  } catch {
    return null; // half an escape, typed by hand
  }
}
