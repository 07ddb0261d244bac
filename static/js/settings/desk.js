// @ts-check
/**
 * What the parts of the settings share: what is known, and one way to do something about it.
 *
 * After each deed everything is asked for anew: one deed may change several parts (a password ends
 * sessions, a forgotten account takes its keys along), and the server knows best.
 */

import { takeBack } from "../alerts.js";
import { tellFailure } from "../at_fault.js";
import { ApiError, get } from "../api.js";
import { Cancelled } from "../cancelled.js";
import { part } from "../elements/template.js";
import { tellSigningOut } from "../link/session_news.js";
import { erased, leaveNothing } from "../offline/erasing.js";
import { Confirmation } from "./confirmation.js";
import { ask } from "./question.js";

/** @typedef {import("../people_types.js").CurrentSession} CurrentSession */
/** @typedef {import("../people_types.js").ListedSession} ListedSession */
/** @typedef {import("../people_types.js").Passkey} Passkey */
/** @typedef {{session: CurrentSession, passkeys: Passkey[], sessions: ListedSession[]}} Known */
/** @typedef {(known: Known) => void} Draw */

/**
 * @typedef {object} Deed
 * @property {HTMLElement} at the part of the page where it is told if it fails
 * @property {() => Promise<unknown>} act
 * @property {import("./question.js").Question} [question] asked before
 * @property {string} [done] what is said after
 * @property {string} [leave] reason to go to the sign-in after, as the session is over
 */

export class Desk {
  #draws;
  #confirmation = new Confirmation(part(document, "#confirmation"));
  #said = part(document, ".saying");
  #main = part(document, "main");
  /** @type {Known | null} */
  #known = null;

  /** @param {Draw[]} draws */
  constructor(draws) {
    this.#draws = draws;
  }

  /** What was last drawn; there is no button to press before. */
  get known() {
    if (!this.#known) throw new Error("nothing is known yet");
    return this.#known;
  }

  /** Ask the server for everything, and draw it. */
  async reload() {
    try {
      await this.#askAndDraw();
    } finally {
      this.#main.removeAttribute("aria-busy");
    }
  }

  async #askAndDraw() {
    const [session, { passkeys }, { sessions }] = await Promise.all([
      get("session"),
      get("passkeys"),
      get("sessions"),
    ]);
    // As somebody else: with another tab's sign-in, say. Nothing of this page is theirs.
    if (this.#known && this.#known.session.user_id !== session.user_id) {
      await leaveNothing("signed_out");
      location.reload();
      return;
    }
    this.#known = { session, passkeys, sessions };
    const restoreFocus = focusKept();
    for (const draw of this.#draws) draw(this.#known);
    restoreFocus();
  }

  /** Somebody has come back to look: what another tab did is seen, unless they are at something. */
  async lookAgain() {
    const isAtSomething = document.querySelector("dialog[open], .rename:not([hidden])");
    if (isAtSomething || this.#isBusy) return;
    try {
      await this.reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What else may be wrong is told when something is done.
      if (error.status === 401) leaveBecause("expired");
    }
  }

  /**
   * Do something about what is known.
   *
   * @param {Deed} deed
   * @returns {Promise<boolean>} whether it is done
   */
  async do({ at, act, question, done = "", leave }) {
    // A second click on the same button, say.
    if (this.#isBusy) return false;
    takeBack();
    this.#said.textContent = "";
    if (question && !(await ask(question))) return false;
    this.#main.setAttribute("aria-busy", "true");
    try {
      if (leave) tellSigningOut(leave);
      await this.#confirmation.around(act);
      if (leave) return leaveBecause(leave);
      await this.reload();
      this.#said.textContent = done;
      return true;
    } catch (error) {
      if (leave) tellSigningOut(null);
      this.#tell(error, at);
      return false;
    } finally {
      this.#main.removeAttribute("aria-busy");
    }
  }

  get #isBusy() {
    return this.#main.hasAttribute("aria-busy");
  }

  /** Ask the person to prove that it is them, whatever for. */
  confirmNow() {
    return this.#confirmation.ask();
  }

  /** @param {unknown} error @param {HTMLElement} at */
  #tell(error, at) {
    if (error instanceof Cancelled) {
      this.#said.textContent = error.message;
      return;
    }
    if (error instanceof ApiError && error.status === 401) {
      leaveBecause("expired");
      return;
    }
    tellFailure(part(at, "[role=alert]"), error);
  }
}

/**
 * To the sign-in, and from there back if the session has only run out.
 *
 * @param {string} reason
 */
export function leaveBecause(reason) {
  const isBackSoon = reason === "expired";
  const back = isBackSoon ? `&next=${encodeURIComponent("/settings")}` : "";
  const left = isBackSoon ? erased() : leaveNothing(reason);
  left.then(() => location.replace(`/?reason=${reason}${back}`));
  return true;
}

/**
 * @returns {() => void} gives the focus back to what had it: to the same thing drawn anew, or where
 *   that is gone to the part of the page that it was in
 */
function focusKept() {
  const before = document.activeElement;
  const around = /** @type {HTMLElement | null} */ (before?.closest("section") ?? null);
  return () => {
    if (!before || before.isConnected) return;
    (document.getElementById(before.id) ?? around)?.focus();
  };
}
