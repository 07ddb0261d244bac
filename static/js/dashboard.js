// @ts-check
/**
 * The dashboard: the stream feeds the store, the store tells the elements what to draw, and what
 * people do in the elements becomes calls.
 */

import { keyOf } from "./account_state.js";
import { ApiError, get, post, refusalOf } from "./api.js";
import { connectionView, overview } from "./connection.js";
import { AccountSwitcher } from "./elements/account-switcher.js";
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
import { Repeated } from "./repeated.js";
import { Store } from "./store.js";
import { PositionStream } from "./stream.js";

/** @typedef {import("./store.js").Changes} Changes */
/** @typedef {import("./connection.js").ConnectionView} ConnectionView */
/** @typedef {import("./account_state.js").AccountState} AccountState */

for (const element of [
  PositionCard,
  PositionPanel,
  PositionDetail,
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

/** @param {number} id */
function accountOf(id) {
  return switcher.accounts.find((account) => account.id === id);
}

/** The name of an account, where several are looked at; else empty. @param {number} id */
function nameOf(id) {
  return store.view === null && store.accounts.size > 1 ? (accountOf(id)?.label ?? "") : "";
}

/** The environments of the accounts that are looked at. */
function viewedEnvironments() {
  const viewed = switcher.accounts.filter(({ id }) => store.view === null || store.view === id);
  return [...new Set(viewed.map(({ environment }) => environment))];
}

/** Accounts have come or gone: learn their names, and look at what there is. */
async function learnAccounts() {
  const known = switcher.accounts.map(({ id }) => id);
  if (known.some((id) => !store.accounts.has(id)) || store.accounts.size !== known.length) {
    try {
      switcher.accounts = (await get("accounts")).accounts;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The next change of accounts, or the page's next start, tries again.
    }
  }
  look();
}

/** Look at the account that is chosen. */
function look() {
  const accounts = switcher.accounts;
  part(document, ".no-account").hidden = accounts.length > 0;
  part(document, "main").hidden = accounts.length === 0;
  store.view = accounts.length > 1 ? switcher.view : null;
  part(document, ".badges").replaceChildren(...viewedEnvironments().map(badge));
  const hint = part(document, ".same-as-hint");
  hint.textContent = accounts.map(twinText).filter(Boolean).join(" ");
  hint.hidden = hint.textContent === "";
}

/** @param {string} environment */
function badge(environment) {
  const element = document.createElement("span");
  element.className = "badge";
  element.dataset.environment = environment;
  element.textContent = environment.toUpperCase();
  return element;
}

/** @param {import("./elements/account-switcher.js").NamedAccount} account */
function twinText({ label, same_as }) {
  const twin = same_as === null ? undefined : accountOf(same_as);
  return twin ? `${label} is the same account at the exchange as ${twin.label}: sums count it once.` : "";
}

// What is drawn ------------------------------------------------------------------------------

/** Titles outlive their positions by one frame, for the note that says they are closed. */
const titles = /** @type {Map<string, string>} */ (new Map());

/** @param {Changes} changes */
function draw(changes) {
  if (changes.accounts) learnAccounts();
  for (const closed of changes.closed) {
    const title = titles.get(keyOf(closed)) ?? closed.ticker;
    notices.show(closed, [nameOf(closed.account_id), title].filter(Boolean).join(" · "));
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
  const { viewed } = store;
  return viewed.length > 0 && viewed.every(({ portfolio }) => portfolio.reconciled_at !== null);
}

function unreadableCount() {
  return store.viewed.reduce((sum, { portfolio }) => sum + (portfolio.unreadable_count ?? 0), 0);
}

/** A summary for each environment: dollars of two are not the same. */
function drawSums() {
  const environments = viewedEnvironments();
  const sums = environments.map((environment) => sumOf(environment));
  summaries.show(sums.length, (summary, index) => {
    const { heading, portfolio } = sums[index];
    summary.heading = heading;
    if (portfolio) summary.portfolio = portfolio;
  });
}

/** @param {string} environment */
function sumOf(environment) {
  const accounts = switcher.accounts.filter(
    (account) =>
      account.environment === environment && (store.view === null || store.view === account.id),
  );
  const isAll = store.view === null && switcher.accounts.length > 1;
  const word = environment[0].toUpperCase() + environment.slice(1);
  if (accounts.length === 1) {
    const portfolio = store.accounts.get(accounts[0].id)?.portfolio;
    return { heading: isAll ? `${word} · ${accounts[0].label}` : "", portfolio };
  }
  return { heading: `${word} · ${accounts.length} accounts`, portfolio: store.sums.get(environment) };
}

function drawDetail() {
  const position = detail.position && store.positions.get(keyOf(detail.position));
  if (!position) return;
  detail.account = nameOf(position.account_id);
  detail.position = position;
}

function serverNow() {
  return Date.now() + store.clockOffset;
}

let announced = "";

/**
 * How each of the accounts that are looked at is connected; one view of it all while our own link
 * to the server is down, or before it spoke.
 *
 * @returns {{id: number | null, view: ConnectionView}[]}
 */
function connections() {
  const now = serverNow();
  const ids = [...store.accounts.keys()].filter((id) => store.view === null || store.view === id);
  if (ids.length === 0) return [{ id: null, view: connectionView(null, loss, now) }];
  return ids.map((id) => {
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
    notice.account = !loss && id !== null ? nameOf(id) : "";
    notice.dataset.account = String(id ?? "");
    notice.view = view;
  });
  const stale = new Set(all.filter(({ view }) => view.isStale).map(({ id }) => id ?? NaN));
  document.documentElement.toggleAttribute("data-stale", stale.size === all.length);
  panel.showStale(stale);
  detail.toggleAttribute("data-stale", stale.has(detail.position?.account_id ?? NaN));
  announce(told, together.word);
}

/** @param {{id: number | null, view: ConnectionView}[]} told @param {string} word */
function announce(told, word) {
  // A listener hears of changes; attempts and times within one state stay silent.
  const state = told.map(({ id, view }) => `${id} ${view.status} ${view.reason}`).join() || word;
  if (state === announced) return;
  announced = state;
  const sentences = told.map(({ id, view }) =>
    [!loss && id !== null ? nameOf(id) : "", view.message].filter(Boolean).join(": "),
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

/**
 * What the address chooses: a ticker, and whose, where that has to be said.
 *
 * @returns {{ticker: string, accountId: number | null} | null}
 */
function chosen() {
  const match = /^#\/position\/([^/]+)(?:\/(\d+))?$/.exec(location.hash);
  try {
    return (
      match && { ticker: decodeURIComponent(match[1]), accountId: match[2] ? Number(match[2]) : null }
    );
  } catch {
    return null; // half an escape, typed by hand
  }
}

/** The position that is chosen, if it is looked at. @returns {import("./types.js").Position | undefined} */
function chosenPosition() {
  const choice = chosen();
  if (!choice) return undefined;
  const { ticker, accountId } = choice;
  return [...store.positions.values()].find(
    (position) =>
      position.ticker === ticker && (accountId === null || accountId === position.account_id),
  );
}

function showSelection() {
  const isChosen = chosen() !== null;
  document.documentElement.toggleAttribute("data-chosen", isChosen);
  // Where there is room for both, the first position is shown until one is chosen.
  const position = isChosen ? chosenPosition() : (stillOpen() ?? firstPosition());
  panel.selected = position ? keyOf(position) : null;
  if (position) {
    detail.account = nameOf(position.account_id);
    detail.position = position;
  } else detail.clear(isChosen && isKnown() ? "closed" : "none");
  detail.tick(serverNow());
}

function stillOpen() {
  return detail.position ? store.positions.get(keyOf(detail.position)) : undefined;
}

function firstPosition() {
  return inOrder(store.positions.values(), panel.order)[0];
}

// What people do -----------------------------------------------------------------------------

async function refresh() {
  panel.showRefresh("pending");
  try {
    await post(`refresh?account=${store.view ?? "all"}`);
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
  if (store.viewed.some(({ connection }) => connection.status !== "live")) refresh();
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

function bindAccounts() {
  panel.nameOf = nameOf;
  // Gives it the choice of all, where there are several.
  switcher.accounts = switcher.accounts;
  if (preferences.account) switcher.choice = preferences.account;
  switcher.addEventListener("view-change", () => {
    preferences.account = switcher.choice;
    applyPreferences(preferences);
    look();
  });
  look();
}

function bindHint() {
  const hint = document.querySelector(".ways-in-hint");
  if (!(hint instanceof HTMLElement) || preferences.knowsWaysIn) return;
  hint.hidden = false;
  part(hint, "button").addEventListener("click", () => {
    hint.hidden = true;
    preferences.knowsWaysIn = true;
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
bindAccounts();
bindHint();
redraw();
store.subscribe(draw);
panel.addEventListener("refresh", refresh);
connectionNotices.listen("retry", () => {
  if (loss) stream.reconnect();
  else refresh();
});
connectionNotices.listen("sign-in", () => location.assign("/settings#add-account"));
addEventListener("hashchange", () => {
  showSelection();
  // As after a link to another page: on from here, or back to where one came from.
  if (chosen() === null) panel.focusCard();
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
