// @ts-check
/**
 * The dashboard: the stream feeds the store, the store tells the pages what to draw, and what
 * people do in the elements becomes calls.
 */

import { ApiError, post } from "./api.js";
import { bindDisplay } from "./display_menu.js";
import { defineElements, defineLater } from "./elements/all.js";
import { part } from "./elements/template.js";
import { maskFigures, writeText } from "./figures.js";
import { moment } from "./format.js";
import { bindSignOut } from "./leaving.js";
import { SharedStream } from "./link/shared_stream.js";
import { useLocale } from "./locale.js";
import { forgetHeld } from "./offline/erasing.js";
import { installShell } from "./offline/install.js";
import { ServerWatch } from "./offline/server_watch.js";
import { bindErasing, goLive, isShell, savedPicture } from "./offline/shell.js";
import { oneTimeLink } from "./one_time_link.js";
import { PositionsPage } from "./pages/positions.js";
import { applyPreferences, loadPreferences } from "./preferences.js";
import { Router } from "./router.js";
import { Accounts } from "./shell/accounts.js";
import { ConnectionBoard } from "./shell/connection_board.js";
import { measureEdges } from "./shell/edges.js";
import { bindHints } from "./shell/hints.js";
import { bindKeys } from "./shell/keys.js";
import { printPositions } from "./shell/print_table.js";
import { SpokenSums } from "./shell/spoken_sums.js";
import { hush, say } from "./shell/status.js";
import { showTitle } from "./shell/title.js";
import { bindWall } from "./shell/wall.js";
import { Store } from "./store.js";
import { Refreshing } from "./words/refreshing.js";

defineElements();

/** @type {import("./elements/position-panel.js").PositionPanel} */
const panel = part(document, "position-panel");
/** @type {import("./elements/closing-notices.js").ClosingNotices} */
const notices = part(document, "closing-notices");
const updatedAt = part(document, ".bar-updated");
const failure = part(document, ".page-failure");

const preferences = loadPreferences();
const keep = () => applyPreferences(preferences);
const refreshing = new Refreshing();
const store = new Store();

// Whose figures they are, and how they are connected --------------------------------------------

const accounts = new Accounts(
  store,
  () => preferences.account,
  (choice) => {
    preferences.account = choice;
    keep();
    page?.leaveUnviewed();
  },
  () => {
    // Those of the saved picture need their names.
    stream?.remember([...accounts.all]);
    renewTitle();
  },
);
const spoken = new SpokenSums();
const board = new ConnectionBoard(store, accounts, {
  retry(account) {
    if (board.loss) stream.reconnect();
    else refresh(account ?? undefined);
  },
  signIn: () => location.assign("/settings#add-account"),
});
/** @type {PositionsPage | undefined} */
let page;
page = new PositionsPage(store, accounts);
const router = new Router([page]);

/** Why the server keeps our link to it down, if it does. */
let refusal = /** @type {string | null} */ (null);

/** When the figures were saved that are shown while the server can't be reached. */
const saved = /** @type {{savedAt?: number}} */ ({});

const stream = isShell ? waitForServer() : followServer();

function followServer() {
  return new SharedStream({
    onEvents(events, at) {
      for (const event of events) store.apply(event, at);
      // Nothing is drawn there, and timers come once a minute.
      if (document.hidden) renewTitle();
    },
    // Nobody told of what went between two connections.
    onConnected: () => accounts.renew(),
    onOpen() {
      board.loss = refusal = null;
      // What failed for want of the server works again.
      refreshing.works();
      failure.hidden = true;
      if (later === "failed") complete();
      showRefresh();
      showConnection();
    },
    onLost(heardAt) {
      board.loss = { lostAt: heardAt && heardAt + store.clockOffset, why: refusal };
      showConnection();
    },
    onRefused(why) {
      refusal = why;
      if (board.loss) board.loss.why = why;
      showConnection();
    },
    onEnded: (reason) => leave(reason),
  });
}

function waitForServer() {
  return new ServerWatch({
    onBack: goLive,
    onEnded: () => leave("expired"),
    onLost(why) {
      board.loss = { lostAt: null, why, ...saved };
      showConnection();
    },
  });
}

// What is drawn ------------------------------------------------------------------------------

/** @param {import("./store.js").Changes} changes */
function draw(changes) {
  if (changes.accounts) accounts.compare();
  const told = changes.ended.map(({ position, closed }) => {
    const title = position.title ?? position.ticker;
    return notices.show(closed, title, position, accounts.viewed.nameOf(position.account_id));
  });
  if (changes.portfolio) say([refreshing.learn(viewedPortfolios(), store.serverNow)]);
  if (changes.portfolio) showRefresh();
  say(told);
  page?.draw(changes);
  if (later === "wanted" && changes.portfolio) complete();
  // What came just now has its ages and times from the first moment on.
  if (changes.membership) tick();
  else if (changes.connection) showConnection();
}

/** What shows one position in full. @type {"wanted" | "coming" | "there" | "failed"} */
let later = "wanted";
const NOT_COMPLETE = "The detail and the charts could not be loaded. They are tried again in a moment.";
const COMPLETE_AGAIN_MS = 5_000;

/** The first figures are there: now for what shows one of them in full. */
async function complete() {
  if (later === "coming" || later === "there") return;
  later = "coming";
  // Once they are painted.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  try {
    await defineLater();
  } catch {
    later = "failed";
    setTimeout(complete, COMPLETE_AGAIN_MS);
    writeText(failure, NOT_COMPLETE);
    failure.hidden = false;
    return;
  }
  later = "there";
  if (failure.textContent === NOT_COMPLETE) failure.hidden = true;
  page?.useDetail();
}

function viewedPortfolios() {
  return store.viewed.map(({ portfolio }) => portfolio);
}

function showConnection() {
  board.show();
  page?.showConnections(board.stale, board.live);
  renewTitle();
}

function renewTitle() {
  showTitle(store, accounts.viewed, board.loss, preferences);
}

function tick() {
  const now = store.serverNow;
  const changed = store.viewed.map(({ portfolio }) => portfolio.updated_at ?? "").sort();
  const changedAt = board.asOf ?? (changed.at(-1) || null);
  page?.tick(changedAt, now);
  writeText(updatedAt, changedAt ? moment(changedAt, now) : "");
  showConnection();
  speakSums();
}

function speakSums() {
  const isWanted = preferences.speaksSums && !preferences.privacy && !document.hidden;
  const isLive = !board.loss && store.viewed.every(({ connection }) => connection.status === "live");
  if (isWanted && isLive) say(spoken.due(accounts.viewed.sums, performance.now()));
}

// What people do -----------------------------------------------------------------------------

/** @param {number | "all"} [account] what is looked at, if it isn't said */
async function refresh(account = store.view ?? "all") {
  if (isShell) return stream.reconnect();
  refreshing.ask(viewedPortfolios());
  showRefresh();
  try {
    await post(`refresh?account=${account}`);
    refreshing.accept();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave("expired");
    else refreshing.fail(error.message);
  }
  showRefresh();
}

function showRefresh() {
  panel.showRefresh(refreshing.view.state, refreshing.view.message);
}

/** @param {string} reason */
async function leave(reason) {
  await stream.close({ erase: true, reason });
  // Whose time is up comes back to what they have pinned.
  if (reason !== "expired") forgetHeld();
  location.replace(`/?reason=${reason}`);
}

/** Somebody has come to look, or the network is back: waits that are under way end now. */
function refreshUnlessLive() {
  if (store.viewed.some(({ connection }) => connection.status !== "live")) refresh();
}

function redraw() {
  keep();
  useLocale(preferences.locale);
  maskFigures(preferences.privacy);
  part(document, ".bar-privacy").setAttribute("aria-pressed", String(preferences.privacy));
  // What was said may have named amounts.
  if (preferences.privacy) {
    hush();
    notices.clear();
  }
  store.touch();
  // In a tab out of sight nothing is drawn, but its title is read.
  renewTitle();
}

const picture = await savedPicture(store);
if (picture) {
  saved.savedAt = picture.savedAt;
  board.loss = { lostAt: null, why: null, ...saved };
  accounts.adopt(picture.accounts);
}
// What the list goes by is written back with the next choice: it must not be from before.
bindDisplay(preferences, redraw, () => (panel.choices = preferences));
if (isShell) bindErasing();
else bindSignOut(leave);
bindHints(preferences);
bindKeys(panel);
bindWall();
measureEdges();
printPositions(
  () => panel.listed,
  () => (board.asOf ? [board.asOf] : viewedPortfolios().map(({ updated_at }) => updated_at)),
);
panel.choices = preferences;
panel.addEventListener("choice", () => {
  Object.assign(preferences, panel.choices);
  keep();
});
panel.addEventListener("refresh", () => refresh());
accounts.look();
redraw();
store.subscribe(draw);
addEventListener("online", () => {
  stream.reconnect();
  refreshUnlessLive();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  if (!stream.isFlowing) stream.reconnect();
  refreshUnlessLive();
  // They may have got other names.
  if (stream.isFlowing) accounts.renew();
});
// A page kept for the back button must not hold a stream, nor show old figures as live.
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) stream.reconnect();
});
setInterval(tick, 1000);
showConnection();
router.show();
// A link that serves once, opened by somebody who is in still: the settings know what it is for.
const { invitation, recovery } = oneTimeLink(location.href);
if (isShell || (invitation === null && recovery === null)) stream.open();
else location.replace(`/settings${location.search}${location.hash}`);
if (!isShell) installShell(document.body.dataset.user ?? "");
