// @ts-check
/**
 * How the state of the connection reads.
 */

import { age, moment } from "./format.js";
import { REASONS, SERVER_UNREACHABLE, isReason } from "./reasons.js";

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

/** What each status says of itself, where no reason that we know says more. */
const SENTENCES = /** @type {const} */ ({
  connecting: "",
  live: "",
  reconnecting: "",
  disconnected: "There is no connection to the exchange.",
  unauthorized: REASONS.key_refused,
  maintenance: REASONS.maintenance,
});

/** What only the person can put right, by signing in with a key. */
const KEY_REASONS = ["no_credential", "credential_unreadable"];

/**
 * Our link to the server is down.
 *
 * @typedef {object} Loss
 * @property {number | null} lostAt since when, on the server's clock, in milliseconds since 1970
 * @property {string | null} why as the server said it; null if it can't be reached
 * @property {number} [savedAt] when what is shown was saved in this browser, on its own clock:
 *   there has been no link since the page was opened
 */

/**
 * @typedef {object} ConnectionView
 * @property {Status} status
 * @property {string | null} reason the server's word, or `server_unreachable`
 * @property {string} word
 * @property {string} message a sentence or two; empty while live
 * @property {"retry" | "sign-in" | null} action what a person can do about it
 * @property {string | null} asOf the instant of the figures while they are not live
 * @property {boolean} isStale the figures must not look live
 */

/**
 * Put the server's word and our own link to the server together.
 *
 * @param {ConnectionStatus | null} connection what the server last said; null before it spoke
 * @param {Loss | null} loss null while our link to the server is up
 * @param {number} now the server's clock, milliseconds since 1970
 * @returns {ConnectionView}
 */
export function connectionView(connection, loss, now) {
  if (loss?.savedAt !== undefined) {
    const followedUntil = Date.parse(connection?.live_until ?? "");
    return savedView(Math.min(loss.savedAt, followedUntil || Infinity), loss.why, now);
  }
  const status = loss ? "reconnecting" : (connection?.status ?? "connecting");
  const reason = loss ? "server_unreachable" : (connection?.reason ?? null);
  const liveUntil = pricesAsOf(connection, loss);
  const retryAt = loss ? null : (connection?.retry_at ?? null);
  return {
    status,
    reason,
    word: WORDS[status],
    message: message(
      status,
      loss ? (loss.why ?? SERVER_UNREACHABLE) : isReason(reason) ? REASONS[reason] : SENTENCES[status],
      liveUntil && `prices as of ${moment(liveUntil, now)}.`,
      retryAt && moment(retryAt, now),
    ),
    asOf: liveUntil,
    action: action(status, reason),
    isStale:
      connection !== null &&
      status !== "live" &&
      (liveUntil === null || now - Date.parse(liveUntil) >= STALE_MS),
  };
}

/**
 * Of a picture that was saved earlier.
 *
 * @param {number} savedAt since when its figures may be old
 * @param {string | null} why
 * @param {number} now
 * @returns {ConnectionView}
 */
function savedView(savedAt, why, now) {
  const instant = new Date(savedAt).toISOString();
  const saved = `Figures saved ${age(instant, now)} ago, at ${moment(instant, now)}.`;
  return {
    status: "reconnecting",
    reason: "server_unreachable",
    word: "Offline",
    message: sentences(why ?? "Offline.", saved),
    asOf: instant,
    action: "retry",
    isStale: true,
  };
}

/** From what is worst to what is well. @type {Status[]} */
const WORST_FIRST = [
  "unauthorized",
  "disconnected",
  "maintenance",
  "reconnecting",
  "connecting",
  "live",
];

/**
 * How several connections stand together.
 *
 * @param {ConnectionView[]} views at least one
 * @returns {Pick<ConnectionView, "status" | "word">}
 */
export function overview(views) {
  const status = WORST_FIRST.find((each) => views.some((view) => view.status === each)) ?? "live";
  const live = views.filter((view) => view.status === "live").length;
  const isOneWord = views.length === 1 || live === views.length;
  return { status, word: isOneWord ? views[0].word : `${live} of ${views.length} live` };
}

/**
 * @param {ConnectionStatus | null} connection
 * @param {Loss | null} loss
 * @returns {string | null}
 */
function pricesAsOf(connection, loss) {
  if (!connection) return null;
  if (connection.status !== "live") return connection.live_until;
  return loss?.lostAt ? new Date(loss.lostAt).toISOString() : null;
}

/**
 * @param {Status} status
 * @param {string} because the reason's sentence
 * @param {string | null} asOf
 * @param {string | null} retryAt
 */
function message(status, because, asOf, retryAt) {
  const age = asOf && capitalized(asOf);
  switch (status) {
    case "live":
      return "";
    case "connecting":
      return sentences("Connecting to the exchange…", because, age);
    case "reconnecting":
      return sentences("Reconnecting…", asOf, because);
    case "disconnected":
    case "unauthorized":
      return sentences(because, age, retryAt && `Next try at ${retryAt}.`);
    case "maintenance":
      return sentences(because, retryAt && `Expected back at ${retryAt}.`, age);
  }
}

/** @param {(string | null)[]} parts those that have nothing to say are left out */
function sentences(...parts) {
  return parts.filter(Boolean).join(" ");
}

/**
 * @param {Status} status
 * @param {string | null} reason
 * @returns {ConnectionView["action"]}
 */
function action(status, reason) {
  if (status === "live" || status === "connecting") return null;
  const isAboutKey = status === "unauthorized" || KEY_REASONS.includes(reason ?? "");
  return isAboutKey ? "sign-in" : "retry";
}

/** @param {string} text */
function capitalized(text) {
  return text[0].toUpperCase() + text.slice(1);
}
