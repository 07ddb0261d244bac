// @ts-check
/**
 * The dashboard: the stream feeds the store, the store tells the elements what to draw, and what
 * people do in the elements becomes calls.
 */

import { ApiError, post, refusalOf } from "./api.js";
import { connectionView } from "./connection.js";
import { ClosingNotices } from "./elements/closing-notices.js";
import { ConnectionNotice } from "./elements/connection-notice.js";
import { ConnectionState } from "./elements/connection-state.js";
import { PortfolioSummaryBar } from "./elements/portfolio-summary-bar.js";
import { PositionCard } from "./elements/position-card.js";
import { PositionDetail } from "./elements/position-detail.js";
import { PositionPanel } from "./elements/position-panel.js";
import { part } from "./elements/template.js";
import { maskFigures, writeText } from "./figures.js";
import { moment } from "./format.js";
import { oneTimeLink } from "./one_time_link.js";
import { inOrder, isOrder } from "./order.js";
import { applyPreferences, loadPreferences } from "./preferences.js";
import { Store } from "./store.js";
import { PositionStream } from "./stream.js";

/** @typedef {import("./store.js").Changes} Changes */

for (const element of [
  PositionCard,
  PositionPanel,
  PositionDetail,
  PortfolioSummaryBar,
  ConnectionState,
  ConnectionNotice,
  ClosingNotices,
]) {
  element.define();
}

/** @type {PositionPanel} */
const panel = part(document, "position-panel");
/** @type {PositionDetail} */
const detail = part(document, "position-detail");
/** @type {PortfolioSummaryBar} */
const summary = part(document, "portfolio-summary-bar");
/** @type {ConnectionState} */
const connectionState = part(document, "connection-state");
/** @type {ConnectionNotice} */
const connectionNotice = part(document, "connection-notice");
/** @type {ClosingNotices} */
const notices = part(document, "closing-notices");
const announcer = part(document, "[role=status]");
const updatedAt = part(document, ".bar-updated");

const preferences = loadPreferences();
const store = new Store();

const STREAM = "/sse/positions";

/** Our link to the server is down. */
let loss = /** @type {import("./connection.js").Loss | null} */ (null);
/** Why the server keeps it down, if it does. */
let refusal = /** @type {string | null} */ (null);

const stream = new PositionStream(STREAM, {
  onEvent: (event) => store.apply(event),
  onOpen() {
    loss = refusal = null;
    showConnection();
  },
  onLost(heardAt) {
    loss = { lostAt: heardAt && heardAt + store.clockOffset, why: refusal };
    showConnection();
  },
  onRefused(why) {
    refusal = why;
    if (loss) loss.why = why;
    showConnection();
  },
  onEnded: () => leave("expired"),
  whyRefused: () => refusalOf(STREAM),
});

// What is drawn ------------------------------------------------------------------------------

/** Titles outlive their positions by one frame, for the note that says they are closed. */
const titles = /** @type {Map<string, string>} */ (new Map());

/** @param {Changes} changes */
function draw(changes) {
  for (const closed of changes.closed) {
    notices.show(closed, titles.get(closed.ticker) ?? closed.ticker);
    titles.delete(closed.ticker);
  }
  for (const ticker of changes.tickers) {
    const title = store.positions.get(ticker)?.title;
    if (title) titles.set(ticker, title);
  }
  if (changes.membership || changes.tickers.size > 0) panel.update(store.positions, changes);
  if (changes.membership) showSelection();
  else if (changes.tickers.has(detail.position?.ticker ?? "")) drawDetail();
  if (changes.portfolio && store.portfolio) summary.portfolio = store.portfolio;
  if (changes.connection) showConnection();
  panel.isKnown = isKnown();
  panel.unreadableCount = store.portfolio?.unreadable_count;
}

/** Whether the positions are known: until the exchange has been asked, none means nothing. */
function isKnown() {
  return store.portfolio !== null && store.portfolio.reconciled_at !== null;
}

function drawDetail() {
  const ticker = detail.position?.ticker;
  if (ticker) detail.position = store.positions.get(ticker) ?? null;
}

function serverNow() {
  return Date.now() + store.clockOffset;
}

let announced = "";

function showConnection() {
  const view = connectionView(store.connection, loss, serverNow());
  connectionState.view = view;
  connectionNotice.view = view;
  document.documentElement.toggleAttribute("data-stale", view.isStale);
  // A listener hears of changes; attempts and times within one state stay silent.
  const state = `${view.status} ${view.reason}`;
  if (state !== announced) announcer.textContent = view.message || view.word;
  announced = state;
}

function tick() {
  const now = serverNow();
  const changedAt = store.portfolio?.updated_at ?? null;
  panel.tick(changedAt, now);
  detail.tick(now);
  writeText(updatedAt, changedAt ? moment(changedAt, now) : "");
  showConnection();
}

// Which position is shown --------------------------------------------------------------------

/** @returns {string | null} */
function chosenTicker() {
  const match = /^#\/position\/(.+)$/.exec(location.hash);
  try {
    return match && decodeURIComponent(match[1]);
  } catch {
    return null; // half an escape, typed by hand
  }
}

function showSelection() {
  const chosen = chosenTicker();
  document.documentElement.toggleAttribute("data-chosen", chosen !== null);
  // Where there is room for both, the first position is shown until one is chosen.
  const shown = chosen ?? stillOpen(detail.position?.ticker) ?? firstTicker();
  const position = shown === null ? null : store.positions.get(shown);
  panel.selected = position ? shown : null;
  if (position) detail.position = position;
  else detail.clear(chosen !== null && isKnown() ? "closed" : "none");
  detail.tick(serverNow());
}

/** @param {string | undefined} ticker */
function stillOpen(ticker) {
  return ticker !== undefined && store.positions.has(ticker) ? ticker : null;
}

function firstTicker() {
  return inOrder(store.positions.values(), panel.order)[0]?.ticker ?? null;
}

// What people do -----------------------------------------------------------------------------

async function refresh() {
  panel.showRefresh("pending");
  try {
    await post("refresh");
    panel.showRefresh("idle");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave("expired");
    else panel.showRefresh("failed", error.message);
  }
}

/** @param {boolean} forget @param {string} reason */
async function signOut(forget, reason) {
  const failure = part(document, ".page-failure");
  failure.hidden = true;
  try {
    await post("logout", { forget });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401) {
      failure.textContent = error.message;
      failure.hidden = false;
      return;
    }
  }
  leave(reason);
}

/** @param {string} reason */
function leave(reason) {
  stream.close();
  location.replace(`/?reason=${reason}`);
}

/** Somebody has come to look, or the network is back: waits that are under way end now. */
function refreshUnlessLive() {
  if (store.connection && store.connection.status !== "live") refresh();
}

function redraw() {
  applyPreferences(preferences);
  maskFigures(preferences.privacy);
  part(document, ".bar-privacy").setAttribute("aria-pressed", String(preferences.privacy));
  store.touch();
}

function bindPreferences() {
  for (const name of /** @type {const} */ (["theme", "palette"])) {
    /** @type {HTMLSelectElement} */
    const select = part(document, `#${name}`);
    select.value = preferences[name];
    select.addEventListener("change", () => {
      Object.assign(preferences, { [name]: select.value });
      applyPreferences(preferences);
    });
  }
  part(document, ".bar-privacy").addEventListener("click", () => {
    preferences.privacy = !preferences.privacy;
    redraw();
  });
  if (isOrder(preferences.order)) panel.order = preferences.order;
  panel.addEventListener("order-change", () => {
    preferences.order = panel.order;
    applyPreferences(preferences);
  });
}

function bindAccount() {
  /** @type {HTMLDialogElement} */
  const confirmation = part(document, "#forget");
  part(document, "#sign-out").addEventListener("click", () => signOut(false, "signed_out"));
  part(document, "#sign-out-forget").addEventListener("click", () => confirmation.showModal());
  confirmation.addEventListener("close", () => {
    if (confirmation.returnValue === "forget") signOut(true, "signed_out");
    confirmation.returnValue = "";
  });
}

bindPreferences();
bindAccount();
redraw();
store.subscribe(draw);
panel.addEventListener("refresh", refresh);
connectionNotice.addEventListener("retry", () => {
  if (loss) stream.reconnect();
  else refresh();
});
connectionNotice.addEventListener("sign-in", () => {
  signOut(false, store.connection?.reason === "key_refused" ? "key_refused" : "signed_out");
});
addEventListener("hashchange", () => {
  showSelection();
  // As after a link to another page: on from here, or back to where one came from.
  if (chosenTicker() === null) panel.focusCard();
  else part(detail, "h2").focus();
});
addEventListener("online", () => {
  stream.reconnect();
  refreshUnlessLive();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  if (!stream.isFlowing) stream.reconnect();
  refreshUnlessLive();
});
// A page kept for the back button must not hold a stream, nor show old figures as live.
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) stream.reconnect();
});
setInterval(tick, 1000);
showConnection();
// A link that serves once, opened by somebody who is in still: the settings know what it is for.
const { invitation, recovery } = oneTimeLink(location.href);
if (invitation === null && recovery === null) stream.open();
else location.replace(`/settings${location.search}${location.hash}`);
