// @ts-check
/**
 * How the state of the connection reads.
 */

import { moment } from "./format.js";

/** @typedef {import("./types.js").ConnectionStatus} ConnectionStatus */
/** @typedef {import("./types.js").Status} Status */

/** Figures that are older than this no longer look live. */
const STALE_MS = 15_000;

const WORDS = /** @type {const} */ ({
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  disconnected: "Disconnected",
  unauthorized: "Key refused",
  maintenance: "Maintenance",
});

/**
 * @typedef {object} ConnectionView
 * @property {Status} status
 * @property {string} word
 * @property {string} message a sentence or two; empty while live
 * @property {"retry" | "sign-in" | null} action what a person can do about it
 * @property {boolean} isStale the figures must not look live
 */

/**
 * Put the server's word and our own link to the server together.
 *
 * @param {ConnectionStatus | null} connection what the server last said; null before it spoke
 * @param {{lostAt: number | null} | null} loss our link to the server is down, and since when on
 *   the server's clock, in milliseconds since 1970; null while it is up
 * @param {number} now the server's clock, milliseconds since 1970
 * @returns {ConnectionView}
 */
export function connectionView(connection, loss, now) {
  const status = loss ? "reconnecting" : (connection?.status ?? "connecting");
  const reason = loss ? "server_unreachable" : (connection?.reason ?? null);
  const liveUntil = pricesAsOf(connection, loss);
  const retryAt = loss ? null : (connection?.retry_at ?? null);
  const asOf = liveUntil ? `prices as of ${moment(liveUntil, now)}` : null;
  return {
    status,
    word: WORDS[status],
    message: message(status, reason, asOf, retryAt && moment(retryAt, now)),
    action: action(status, reason),
    isStale:
      connection !== null &&
      status !== "live" &&
      (liveUntil === null || now - Date.parse(liveUntil) >= STALE_MS),
  };
}

/**
 * @param {ConnectionStatus | null} connection
 * @param {{lostAt: number | null} | null} loss
 * @returns {string | null}
 */
function pricesAsOf(connection, loss) {
  if (!connection) return null;
  if (connection.status !== "live") return connection.live_until;
  return loss?.lostAt ? new Date(loss.lostAt).toISOString() : null;
}

/**
 * @param {Status} status
 * @param {string | null} reason
 * @param {string | null} asOf
 * @param {string | null} retryAt
 */
function message(status, reason, asOf, retryAt) {
  const until = retryAt ? ` until ${retryAt}` : "";
  const next = retryAt ? ` Next try at ${retryAt}.` : "";
  const age = asOf ? ` ${capitalized(asOf)}.` : "";
  switch (status) {
    case "live":
      return "";
    case "connecting":
      return `Connecting to the exchange…${age}`;
    case "reconnecting":
      return (asOf ? `Reconnecting… ${asOf}.` : "Reconnecting…") + because(reason);
    case "disconnected":
      if (reason === "no_credential") return `No key is stored for this account.${age}`;
      return `The exchange can't be reached.${age}${next}`;
    case "unauthorized":
      return `The exchange refuses the stored key.${age}`;
    case "maintenance":
      return `The exchange is in maintenance${until}.${age}`;
  }
}

/** @param {string | null} reason */
function because(reason) {
  switch (reason) {
    case "server_unreachable":
      return " This page can't reach its server.";
    case "worker_down":
      return " The server's worker isn't running.";
    case "clock_skew":
      return " The server's clock differs from the exchange's: set it right.";
    default:
      return "";
  }
}

/**
 * @param {Status} status
 * @param {string | null} reason
 * @returns {ConnectionView["action"]}
 */
function action(status, reason) {
  if (status === "unauthorized" || reason === "no_credential") return "sign-in";
  return status === "live" || status === "connecting" ? null : "retry";
}

/** @param {string} text */
function capitalized(text) {
  return text[0].toUpperCase() + text.slice(1);
}
