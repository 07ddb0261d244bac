// @ts-check
/**
 * The dashboard: the stream feeds the store, the store tells the elements what to draw, and what
 * people do in the elements becomes calls.
 */

import { keyOf } from "./account_state.js";
import { ApiError, get, post, refusalOf } from "./api.js";
import { connectionView, overview } from "./connection.js";
import { bindDisplay } from "./display_menu.js";
import { AccountSwitcher } from "./elements/account-switcher.js";
import { ClosingNotices } from "./elements/closing-notices.js";
import { ConnectionNotice } from "./elements/connection-notice.js";
import { ConnectionState } from "./elements/connection-state.js";
import { LedgerNote } from "./elements/ledger-note.js";
import { PortfolioSummaryBar } from "./elements/portfolio-summary-bar.js";
import { PositionCard } from "./elements/position-card.js";
import { PositionDetail } from "./elements/position-detail.js";
import { PositionPanel } from "./elements/position-panel.js";
import { part } from "./elements/template.js";
import { maskFigures, writeText } from "./figures.js";
import { moment } from "./format.js";
import { bindSignOut } from "./leaving.js";
import { oneTimeLink } from "./one_time_link.js";
import { inOrder, isOrder } from "./order.js";
import { chosenIn } from "./position_address.js";
import { applyPreferences, loadPreferences } from "./preferences.js";
import { Repeated } from "./repeated.js";
import { Roster } from "./roster.js";
import { Store } from "./store.js";
import { PositionStream } from "./stream.js";
import { Viewed, capitalized, twinsText } from "./viewed.js";

/** @typedef {import("./store.js").Changes} Changes */
/** @typedef {import("./connection.js").ConnectionView} ConnectionView */
/** @typedef {import("./elements/account-switcher.js").NamedAccount} NamedAccount */

for (const element of [
  PositionCard,
  PositionPanel,
  PositionDetail,
  LedgerNote,
  PortfolioSummaryBar,
  ConnectionState,
  ConnectionNotice,
  ClosingNotices,
  AccountSwitcher,
]) {
  element.define();
}

/** @type {PositionPanel} */
const panel = part(document, "position-panel");
/** @type {PositionDetail} */
const detail = part(document, "position-detail");
/** @type {AccountSwitcher} */
const switcher = part(document, "account-switcher");
/** @type {ConnectionState} */
const connectionState = part(document, "connection-state");
const summaries = new Repeated(
  /** @type {PortfolioSummaryBar} */ (part(document, "portfolio-summary-bar")),
);
const connectionNotices = new Repeated(
  /** @type {ConnectionNotice} */ (part(document, "connection-notice")),
);
/** @type {ClosingNotices} */
const notices = part(document, "closing-notices");
const announcer = part(document, "[role=status]");
const updatedAt = part(document, ".bar-updated");

const preferences = loadPreferences();
const store = new Store();

/** One connection, whatever is looked at: nothing is missed when that changes. */
const STREAM = "/sse/positions?account=all";

/** Our link to the server is down. */
let loss = /** @type {import("./connection.js").Loss | null} */ (null);
/** Why the server keeps it down, if it does. */
let refusal = /** @type {string | null} */ (null);

const stream = new PositionStream(STREAM, {
  onEvent: (event) => store.apply(event),
  // Nobody told of what went between two connections.
  onConnected: () => roster.renew(),
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

// Whose figures they are ---------------------------------------------------------------------

const viewed = new Viewed(store, switcher);
const roster = new Roster(askForAccounts, learnAccounts);

async function askForAccounts() {
  const before = [...store.accounts.keys()];
  return { before, accounts: /** @type {NamedAccount[]} */ ((await get("accounts")).accounts) };
}

/**
 * @param {{before: number[], accounts: NamedAccount[]}} answer those we had when we asked, and
 *   those there are
 */
function learnAccounts({ before, accounts }) {
  const ids = accounts.map(({ id }) => id);
  // What has come since we asked is none of those that are gone.
  store.drop(before.filter((id) => !ids.includes(id)));
  for (const environment of store.sums.keys()) {
    // Of one account there is none; an old one must not wait for a second.
    const members = accounts.filter((account) => account.environment === environment);
    if (members.length < 2) store.sums.delete(environment);
  }
  const wasAlone = switcher.accounts.length < 2;
  switcher.accounts = accounts;
  // There is something to choose again: what was chosen before counts.
  if (wasAlone) switcher.choice = preferences.account;
  look();
}

/** Ask which accounts there are if the stream knows of others. */
function compareAccounts() {
  const ids = switcher.accounts.map(({ id }) => id);
  const isSame = ids.length === store.accounts.size && ids.every((id) => store.accounts.has(id));
  if (!isSame) roster.renew();
}

/** Look at the account that is chosen. */
function look() {
  const accounts = switcher.accounts;
  const isNone = accounts.length === 0;
  part(document, ".no-account").hidden = !isNone;
  part(document, "main").hidden = isNone;
  // Where there is no account there is nothing that could be connected.
  part(document, ".notices").hidden = connectionState.hidden = isNone;
  store.view = accounts.length > 1 ? switcher.view : null;
  const { environments } = viewed;
  part(document, ".badges").replaceChildren(...environments.map(badge));
  document.title = [environments.map(capitalized).join(", "), "Kalshi Live"]
    .filter(Boolean)
    .join(" · ");
  const hint = part(document, ".same-as-hint");
  hint.textContent = twinsText(accounts);
  hint.hidden = hint.textContent === "";
  const forgotten = document.querySelector(".forget-accounts");
  if (forgotten) forgotten.textContent = accounts.map(({ label }) => label).join(", ");
}

/** @param {string} environment */
function badge(environment) {
  const element = document.createElement("span");
  element.className = "badge";
  element.dataset.environment = environment;
  element.textContent = environment.toUpperCase();
  return element;
}

// What is drawn ------------------------------------------------------------------------------

/** Titles outlive their positions by one frame, for the note that says they are closed. */
const titles = /** @type {Map<string, string>} */ (new Map());

/** @param {Changes} changes */
function draw(changes) {
  if (changes.accounts) compareAccounts();
  for (const closed of changes.closed) {
    const title = titles.get(keyOf(closed)) ?? closed.ticker;
    notices.show(closed, [viewed.nameOf(closed.account_id), title].filter(Boolean).join(" · "));
    titles.delete(keyOf(closed));
  }
  for (const key of changes.keys) {
    const title = store.positions.get(key)?.title;
    if (title) titles.set(key, title);
  }
  if (changes.membership || changes.keys.size > 0) panel.update(store.positions, changes);
  if (changes.membership) showSelection();
  else if (detail.position && changes.keys.has(keyOf(detail.position))) drawDetail();
  if (changes.portfolio) drawSums();
  if (changes.connection || changes.membership) showConnection();
  panel.isKnown = isKnown();
  panel.unreadableCount = unreadableCount();
}

/** Whether the positions are known: until the exchange has been asked, none means nothing. */
function isKnown() {
  const accounts = store.viewed;
  return accounts.length > 0 && accounts.every(({ portfolio }) => portfolio.reconciled_at !== null);
}

function unreadableCount() {
  return store.viewed.reduce((sum, { portfolio }) => sum + (portfolio.unreadable_count ?? 0), 0);
}

/** Those in sight. @type {import("./viewed.js").Sum[]} */
let sums = [];

function drawSums() {
  sums = viewed.sums;
  summaries.show(sums.length, (summary, index) => {
    const { heading, ids, portfolio } = sums[index];
    summary.heading = heading;
    summary.ids = ids;
    summary.portfolio = portfolio ?? null;
  });
}

function drawDetail() {
  const position = detail.position && store.positions.get(keyOf(detail.position));
  if (!position) return;
  detail.account = viewed.nameOf(position.account_id);
  detail.position = position;
}

function serverNow() {
  return Date.now() + store.clockOffset;
}

/** The accounts whose figures must not look live. @type {ReadonlySet<number>} */
let stale = new Set();

let announced = "";

/**
 * How each of the accounts that are looked at is connected.
 *
 * @returns {{id: number | null, view: ConnectionView}[]}
 */
function connections() {
  const now = serverNow();
  const { accounts } = viewed;
  if (accounts.length === 0) return [{ id: null, view: connectionView(null, loss, now) }];
  return accounts.map(({ id }) => {
    const connection = store.accounts.get(id)?.connection ?? null;
    return { id, view: connectionView(connection, loss, now) };
  });
}

function showConnection() {
  const all = connections();
  // A link that is down is one trouble, whatever it brings news of.
  const told = loss ? all.slice(0, 1) : all.filter(({ view }) => view.message !== "");
  const together = overview(loss ? [told[0].view] : all.map(({ view }) => view));
  connectionState.view = together;
  connectionNotices.show(Math.max(told.length, 1), (notice, index) => {
    const { id, view } = told[index] ?? all[0];
    notice.account = loss ? "" : viewed.nameOf(id);
    notice.dataset.account = String(id ?? "");
    notice.view = view;
  });
  stale = new Set(all.filter(({ view }) => view.isStale).map(({ id }) => id ?? NaN));
  document.documentElement.toggleAttribute("data-stale", stale.size === all.length);
  panel.showStale(stale);
  showDetailsAge();
  summaries.show(sums.length, (summary, index) => {
    // A sum is as old as the oldest part of it.
    summary.toggleAttribute("data-stale", sums[index].ids.some((id) => stale.has(id)));
  });
  if (switcher.accounts.length > 0) announce(told, together.word);
}

function showDetailsAge() {
  detail.toggleAttribute("data-stale", stale.has(detail.position?.account_id ?? NaN));
}

/** @param {{id: number | null, view: ConnectionView}[]} told @param {string} word */
function announce(told, word) {
  // A listener hears of changes; attempts and times within one state stay silent.
  const state = told.map(({ id, view }) => `${id} ${view.status} ${view.reason}`).join() || word;
  if (state === announced) return;
  announced = state;
  const sentences = told.map(({ id, view }) =>
    [loss ? "" : viewed.nameOf(id), view.message].filter(Boolean).join(": "),
  );
  announcer.textContent = sentences.filter(Boolean).join(" ") || word;
}

function tick() {
  const now = serverNow();
  const changed = store.viewed.map(({ portfolio }) => portfolio.updated_at ?? "").sort();
  const changedAt = changed.at(-1) || null;
  panel.tick(changedAt, now);
  detail.tick(now);
  writeText(updatedAt, changedAt ? moment(changedAt, now) : "");
  showConnection();
}

// Which position is shown --------------------------------------------------------------------

/** The position that the address chooses, looked at or not. */
function chosenPosition() {
  const choice = chosenIn(location.hash);
  return choice ? store.find(choice.ticker, choice.accountId) : undefined;
}

/** Who looks at another account has left the position that was chosen in this one. */
function leaveUnviewed() {
  const position = chosenPosition();
  if (!position || viewed.includes(position.account_id)) return;
  history.replaceState(null, "", location.pathname);
}

function showSelection() {
  const isChosen = chosenIn(location.hash) !== null;
  document.documentElement.toggleAttribute("data-chosen", isChosen);
  // Where there is room for both, the first position is shown until one is chosen.
  const position = isChosen ? chosenPosition() : (stillOpen() ?? firstPosition());
  if (position && !viewed.includes(position.account_id)) {
    // A link to it leads to where it is; what is drawn next shows it.
    switcher.choice = "all";
    look();
    return;
  }
  panel.selected = position ? keyOf(position) : null;
  if (position) {
    detail.account = viewed.nameOf(position.account_id);
    detail.position = position;
  } else detail.clear(isChosen && isKnown() ? "closed" : "none");
  showDetailsAge();
  detail.tick(serverNow());
}

function stillOpen() {
  return detail.position ? store.positions.get(keyOf(detail.position)) : undefined;
}

function firstPosition() {
  return inOrder(store.positions.values(), panel.order)[0];
}

// What people do -----------------------------------------------------------------------------

/** @param {number | "all"} [account] what is looked at, if it isn't said */
async function refresh(account = store.view ?? "all") {
  panel.showRefresh("pending");
  try {
    await post(`refresh?account=${account}`);
    panel.showRefresh("idle");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave("expired");
    else panel.showRefresh("failed", error.message);
  }
}

/** @param {string} reason */
function leave(reason) {
  stream.close();
  location.replace(`/?reason=${reason}`);
}

/** Somebody has come to look, or the network is back: waits that are under way end now. */
function refreshUnlessLive() {
  if (store.viewed.some(({ connection }) => connection.status !== "live")) refresh();
}

function redraw() {
  applyPreferences(preferences);
  maskFigures(preferences.privacy);
  part(document, ".bar-privacy").setAttribute("aria-pressed", String(preferences.privacy));
  store.touch();
}

function bindOrder() {
  if (isOrder(preferences.order)) panel.order = preferences.order;
  panel.addEventListener("order-change", () => {
    preferences.order = panel.order;
    applyPreferences(preferences);
  });
}

function bindAccounts() {
  panel.nameOf = (id) => viewed.nameOf(id);
  switcher.choice = preferences.account;
  switcher.addEventListener("view-change", () => {
    preferences.account = switcher.choice;
    applyPreferences(preferences);
    look();
    leaveUnviewed();
  });
  look();
}

function bindHint() {
  const hint = document.querySelector(".ways-in-hint");
  if (!(hint instanceof HTMLElement)) return;
  const user = hint.dataset.user ?? "";
  if (preferences.knowWaysIn.includes(user)) return;
  hint.hidden = false;
  part(hint, "button").addEventListener("click", () => {
    hint.hidden = true;
    preferences.knowWaysIn = [...preferences.knowWaysIn, user];
    applyPreferences(preferences);
  });
}

bindDisplay(preferences, redraw);
bindOrder();
bindSignOut(leave);
bindAccounts();
bindHint();
redraw();
store.subscribe(draw);
panel.addEventListener("refresh", () => refresh());
connectionNotices.listen("retry", ({ target }) => {
  const account = target instanceof HTMLElement ? Number(target.dataset.account) : 0;
  if (loss) stream.reconnect();
  else refresh(account || undefined);
});
connectionNotices.listen("sign-in", () => location.assign("/settings#add-account"));
addEventListener("hashchange", () => {
  showSelection();
  // As after a link to another page: on from here, or back to where one came from.
  if (chosenIn(location.hash) === null) panel.focusCard();
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
  // They may have got other names.
  if (stream.isFlowing) roster.renew();
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
