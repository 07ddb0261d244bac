// @ts-check
/**
 * The settings: the parts, and what they share.
 */

import { withAdvice } from "./advice.js";
import { tell } from "./alerts.js";
import { ApiError, FORGET_SECONDS, post } from "./api.js";
import { part } from "./elements/template.js";
import { eraseOfOthers, leaveNothing } from "./offline/erasing.js";
import { oneTimeLink } from "./one_time_link.js";
import { bindAccounts, drawAccounts } from "./settings/accounts.js";
import { Desk, leaveBecause } from "./settings/desk.js";
import { bindInvitations } from "./settings/invitations.js";
import { bindSessions, drawSessions } from "./settings/sessions.js";
import { bindWaysIn, drawWaysIn } from "./settings/ways_in.js";
import { hasWayIn, whatIsForgotten } from "./settings/words.js";

/** @typedef {import("./settings/desk.js").Known} Known */

const forgetPlace = part(document, "#forget");
/** @type {HTMLButtonElement} */
const forgetAll = part(forgetPlace, "#forget-all");
const recoveredNotice = part(document, "#recovered");
const pageFailure = part(document, "#page-failure");

const desk = new Desk([
  drawOfAKey,
  (known) => drawWaysIn(known, desk),
  (known) => drawAccounts(known, desk),
  (known) => drawSessions(known, desk),
  drawForget,
]);

/** @param {Known} known */
function drawOfAKey({ session }) {
  part(document, "#of-a-key").hidden = session.of !== "key" || !hasWayIn(session);
}

/** @param {Known} known */
function drawForget({ session }) {
  forgetAll.disabled = false;
  part(document, "#forget-text").textContent = whatIsForgotten(session);
}

function bindForget() {
  part(document, "#confirm-now").addEventListener("click", () =>
    desk.do({
      at: part(document, "main"),
      act: () => desk.confirmNow(),
      done: "Confirmed.",
    }),
  );
  forgetAll.addEventListener("click", () =>
    desk.do({
      at: forgetPlace,
      question: {
        title: "Forget everything?",
        text: whatIsForgotten(desk.known.session),
        yes: "Forget everything",
      },
      act: () => post("logout", { forget: true }, FORGET_SECONDS),
      leave: "forgotten",
    }),
  );
}

/** What came with the address is done once: a reload must not do or tell it again. */
async function takeLink() {
  const { invitation, recovery } = oneTimeLink(location.href);
  if (invitation !== null) takeInvitation(invitation);
  if (recovery !== null) await recover(recovery);
  if (!recoveredNotice.hidden) showAddress("#ways-in");
}

/** @param {string} token for who is a guest of the sandbox: with an account of their own they stay */
function takeInvitation(token) {
  showAddress("#add-account");
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("#invitation"));
  if (field) field.value = token;
}

/** @param {string} token */
async function recover(token) {
  showAddress("#ways-in");
  const { user_id } = await post("recover", { token });
  // Of somebody else, say: a link has been mixed up, or two share a browser.
  if (String(user_id) !== document.body.dataset.user) await leaveNothing("signed_out");
  recoveredNotice.hidden = false;
}

/** @param {string} hash where the page is, without what came along */
function showAddress(hash) {
  history.replaceState(null, "", location.pathname + hash);
}

async function start() {
  try {
    await takeLink();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    tell(pageFailure, withAdvice(error));
  }
  try {
    await desk.reload();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leaveBecause("expired");
    else tell(pageFailure, withAdvice(error));
    return;
  }
  eraseOfOthers(String(desk.known.session.user_id));
  // What was there when the browser looked for the place was still without its rows.
  const place = location.hash && document.getElementById(location.hash.slice(1));
  if (!place) return;
  place.scrollIntoView();
  // Nor could it have the focus before the page took any.
  if (document.activeElement === document.body) place.focus({ preventScroll: true });
}

bindWaysIn(desk);
bindAccounts(desk);
bindSessions(desk);
bindInvitations(desk);
bindForget();
// Another tab may have changed something, or ended the session.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") desk.lookAgain();
});
part(document, "main").inert = false;
start();
