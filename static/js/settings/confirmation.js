// @ts-check
/**
 * The dialog “Confirm that it is you”: what concerns the person needs a password or a passkey that
 * was shown in the last ten minutes.
 */

import { takeBack } from "../alerts.js";
import { tellFailure } from "../at_fault.js";
import { ApiError, get, post } from "../api.js";
import { Cancelled } from "../cancelled.js";
import { part } from "../elements/template.js";
import { leaveNothing } from "../offline/erasing.js";
import { arePasskeysKnown, signInWithPasskey } from "../passkeys.js";
import { hasWayIn } from "./words.js";

/** @typedef {import("../people_types.js").CurrentSession} CurrentSession */
/** @typedef {import("../people_types.js").SignedIn} SignedIn */

export class Confirmation {
  #dialog;
  #alert;
  #said;
  #form;
  /** @type {HTMLInputElement} */
  #username;
  /** @type {HTMLInputElement} */
  #password;
  #byPasskey;
  /** The user who has to prove it. */
  #userId = 0;
  #isProved = false;

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#alert = part(dialog, "[role=alert]");
    this.#said = part(dialog, "[role=status]");
    this.#form = part(dialog, "form");
    this.#username = part(dialog, "#confirm-username");
    this.#password = part(dialog, "#confirm-password");
    this.#byPasskey = part(dialog, ".by-passkey");
    part(dialog, ".cancel").addEventListener("click", () => dialog.close());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = { username: this.#username.value, password: this.#password.value };
      this.#try(() => post("login", typed), part(this.#form, "[type=submit]"));
    });
    this.#byPasskey.addEventListener("click", () => {
      if (this.#byPasskey.matches("button")) this.#try(signInWithPasskey, this.#byPasskey);
    });
  }

  /**
   * Do it; if the server wants the person proved first, ask, and do it once more.
   *
   * @param {() => Promise<unknown>} act
   */
  async around(act) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "sign_in_again") throw error;
      const session = await get("session");
      // Without a way in there is nothing to confirm by: the server's message says what to do.
      if (!hasWayIn(session)) throw error;
      await this.ask(session);
    }
    return act();
  }

  /**
   * Have the person prove that it is them.
   *
   * @param {CurrentSession} [known]
   * @throws {Cancelled} they would not
   */
  async ask(known) {
    const session = known ?? (await get("session"));
    this.#userId = session.user_id;
    this.#isProved = false;
    this.#show(session);
    await new Promise((resolve) => {
      this.#dialog.addEventListener("close", resolve, { once: true });
    });
    this.#password.value = "";
    if (!this.#isProved) throw new Cancelled("Nothing is changed: it was not confirmed.");
  }

  /** @param {CurrentSession} session */
  #show({ username, has_password, passkey_count }) {
    takeBack();
    this.#said.textContent = "";
    this.#username.value = username ?? "";
    this.#form.hidden = !has_password;
    const isButton = this.#byPasskey.matches("button");
    this.#byPasskey.hidden = passkey_count === 0 || (isButton && !arePasskeysKnown());
    this.#setPending(false);
    this.#dialog.showModal();
    if (has_password) this.#password.focus();
  }

  /** @param {() => Promise<SignedIn>} way @param {HTMLElement} again what was pressed for it */
  async #try(way, again) {
    takeBack();
    this.#said.textContent = "";
    this.#setPending(true);
    try {
      const { user_id } = await way();
      // A passkey of somebody else, who is signed in now: what was about to be done is not theirs.
      if (user_id !== this.#userId) {
        await leaveNothing("signed_out");
        location.reload();
        return;
      }
      this.#isProved = true;
      this.#dialog.close();
    } catch (error) {
      this.#setPending(false);
      this.#tell(error, again);
    }
  }

  /** @param {boolean} isPending */
  #setPending(isPending) {
    for (const button of this.#dialog.querySelectorAll("button")) button.disabled = isPending;
  }

  /** @param {unknown} error @param {HTMLElement} again */
  #tell(error, again) {
    if (!(error instanceof Cancelled)) return tellFailure(this.#alert, error, again);
    this.#said.textContent = error.message;
    again.focus();
  }
}
