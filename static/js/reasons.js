// @ts-check
/**
 * Why a connection isn't live, as people are told: what happened and, where there is something to
 * do, what. The words are the server's `Reason`.
 */

/** @typedef {keyof typeof REASONS} Reason */

// A line for each word, however long: a test reads them to compare them with the server's.
export const REASONS = Object.freeze({
  connection_lost: "The connection to the exchange ended.",
  unreachable: "The exchange can't be reached, or something else answers in its place.",
  exchange_failing: "The exchange answers with errors of its own. It is tried again by itself.",
  not_understood: "The exchange's answers can't be understood, or something else answers in its place. If it lasts, this server may need a newer version.",
  rate_limited: "The exchange says that this account asks too often: the server waits before it asks again.",
  clock_skew: "The server's clock differs from the exchange's: set it right, for example by NTP.",
  maintenance: "The exchange is in maintenance.",
  key_refused: "The exchange refuses the stored key. Sign in again with a valid one.",
  key_scope: "The stored key may not read the portfolio. Sign in again with one that may.",
  no_credential: "No key is stored for this account. Sign in again with one.",
  credential_unreadable: "The stored key can't be decrypted with ENCRYPTION_SECRET_KEY. Sign in again with the key, or put the lost encryption key back.",
  environment_missing: "This server no longer knows where this account's exchange is. Whoever runs the server must set its addresses again.",
  set_aside: "Something went wrong with this account alone, on our side. It is tried again by itself, and the others go on. The server's log has the details.",
  set_aside_by_staff: "Whoever runs the server has set this account aside: nothing of it is read from the exchange until they take it back.",
  write_stuck: "This account's figures can't be written to the database at the moment. The server goes on trying.",
  worker_down: "The server's worker isn't running. Start it unless it is back in a minute.",
});

/** The page's own: its server, which has the words above, can't say anything. */
export const SERVER_UNREACHABLE = "This page can't reach its server.";

/**
 * @param {string | null | undefined} word
 * @returns {word is Reason} whether this page knows it; a newer server may have more
 */
export function isReason(word) {
  return typeof word === "string" && Object.hasOwn(REASONS, word);
}
