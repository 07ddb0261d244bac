// @ts-check
/**
 * The window's title: whose figures these are, and how the day goes.
 */

import { figureText } from "../figures.js";
import { capitalized } from "../viewed.js";

/**
 * @param {readonly string[]} environments
 * @param {string} day today's P&L as text; empty to leave it out
 */
export function titleOf(environments, day) {
  return [day, environments.map(capitalized).join(", "), "Kalshi Live"].filter(Boolean).join(" · ");
}

/** A browser spends milliseconds on a title, and nobody reads it by the second. */
const TITLE_MS = 3_000;
let shownAt = -Infinity;
let shown = "";
/** What of a title is digits, which may wait; its words may not. */
const figures = /[\d.,+\u2212▲▼ ]/g;

/**
 * Today's P&L, if there is one for a title: dollars of two environments are not the same, and an
 * old figure would pass for today's.
 *
 * @param {Pick<import("../store.js").Store, "viewed">} store
 * @param {Pick<import("../viewed.js").Viewed, "sums">} viewed
 * @param {import("../connection.js").Loss | null} loss null while our link to the server is up
 */
export function dayOf(store, { sums }, loss) {
  const { viewed } = store;
  // A sum may be told before any of its accounts.
  const isLive = viewed.length > 0 && viewed.every(({ connection }) => connection.status === "live");
  return sums.length === 1 && isLive && !loss ? (sums[0].portfolio?.day_pnl ?? null) : null;
}

/**
 * @param {import("../store.js").Store} store
 * @param {import("../viewed.js").Viewed} viewed
 * @param {import("../connection.js").Loss | null} loss null while our link to the server is up
 * @param {import("../preferences.js").Preferences} preferences
 */
export function showTitle(store, viewed, loss, { titleShowsDay }) {
  const day = titleShowsDay ? dayOf(store, viewed, loss) : null;
  const title = titleOf(viewed.environments, day === null ? "" : figureText("day_pnl", day));
  const isSame = shown.replace(figures, "") === title.replace(figures, "");
  if (title === shown || (isSame && performance.now() - shownAt < TITLE_MS)) return;
  shownAt = performance.now();
  shown = title;
  document.title = title;
}
