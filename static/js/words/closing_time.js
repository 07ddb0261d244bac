// @ts-check
/**
 * When a position's outcome is expected, and how long that is from now.
 *
 * Trading may formally end weeks after everybody knows the outcome, so what counts is when the
 * exchange expects it.
 */

import { UNKNOWN, date, dateTime } from "../format.js";
import { stageOf } from "./stage.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {Pick<Position, "market_status" | "close_time" | "expected_expiration_time">} Closing */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * When the outcome is expected, else when trading ends; null where the exchange says neither.
 *
 * @param {Pick<Closing, "close_time" | "expected_expiration_time">} position
 */
export function expectedAt({ expected_expiration_time, close_time }) {
  return expected_expiration_time ?? close_time;
}

/**
 * In a row's few letters: `in 3 h 12 min` under a day, else the date; `overdue` when that is over and
 * nothing is decided, `decided` when something is.
 *
 * @param {Closing} position
 * @param {number} now the server's clock, milliseconds since 1970
 */
export function closesIn(position, now) {
  if (stageOf(position.market_status).note) return "decided";
  const at = expectedAt(position);
  if (at === null) return UNKNOWN;
  const left = Date.parse(at) - now;
  if (left <= 0) return "overdue";
  return left < DAY_MS ? `in ${span(left)}` : date(at);
}

/**
 * Whether the outcome is less than a day away, so that what `closesIn` says goes by the minute.
 *
 * @param {Closing} position
 * @param {number} now
 */
export function isClosingSoon(position, now) {
  const at = expectedAt(position);
  if (at === null || stageOf(position.market_status).note) return false;
  const left = Date.parse(at) - now;
  return left > 0 && left < DAY_MS;
}

/**
 * Both times in full, for a title and the detail.
 *
 * @param {Pick<Closing, "close_time" | "expected_expiration_time">} position
 */
export function closingTimes({ expected_expiration_time: expected, close_time: close }) {
  const sentences = [
    expected && `The outcome is expected ${dateTime(expected)}.`,
    close && `Trading ends ${dateTime(close)} at the latest.`,
    !expected && "The exchange does not say when it expects the outcome.",
  ];
  return sentences.filter(Boolean).join(" ");
}

/**
 * In its two largest units; no second is shown that would have it change each second for long.
 *
 * @param {number} ms
 */
function span(ms) {
  const [hours, minutes] = [Math.floor(ms / HOUR_MS), Math.floor(ms / MINUTE_MS)];
  if (hours > 0) return `${hours}\u00a0h ${minutes % 60}\u00a0min`;
  return minutes > 0 ? `${minutes}\u00a0min` : `${Math.ceil(ms / 1000)}\u00a0s`;
}
