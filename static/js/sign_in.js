// @ts-check
/**
 * The sign-in page: a person's own ways in, a key of the exchange, and links that serve once.
 */

import { withAdvice } from "./advice.js";
import { takeBack, tell } from "./alerts.js";
import { ApiError, post } from "./api.js";
import { Cancelled } from "./cancelled.js";
import { destination } from "./destination.js";
import { part } from "./elements/template.js";
import { KeyForm } from "./key_form.js";
import { oneTimeLink } from "./one_time_link.js";
import {
  NOT_IN_THIS_BROWSER,
  PasskeyFailed,
  arePasskeysKnown,
  signInWithPasskey,
} from "./passkeys.js";

const link = oneTimeLink(location.href);
if (link.invitation !== null || link.recovery !== null) {
  history.replaceState(null, "", link.address);
}

const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("button")
);
const person = part(document, "#person");
const said = part(document, "[role=status]");

/** @param {boolean} isPending */
function setPending(isPending) {
  for (const button of buttons) button.disabled = isPending;
}

function goOn() {
  location.replace(destination(location.search));
}

const keyForm = new KeyForm(part(document, "#key-form"), {
  invitation: () => link.invitation,
  onAccepted: goOn,
  onPending: setPending,
});

/**
 * One try to come in as oneself.
 *
 * @param {() => Promise<unknown>} way
 * @param {HTMLElement} alert where it is told if it fails
 * @param {string} [meanwhile] what is said while it is tried
 * @returns {Promise<boolean>}
 */
async function signIn(way, alert, meanwhile = "") {
  takeBack();
  said.textContent = meanwhile;
  setPending(true);
  try {
    await way();
    return true;
  } catch (error) {
    setPending(false);
    said.textContent = "";
    if (error instanceof Cancelled) said.textContent = error.message;
    else if (error instanceof PasskeyFailed) tell(alert, error.message);
    else if (error instanceof ApiError) tell(alert, withAdvice(error));
    else throw error;
    return false;
  }
}

function bindPassword() {
  const form = part(person, "form");
  /** @type {HTMLInputElement} */
  const username = part(form, "#username");
  /** @type {HTMLInputElement} */
  const password = part(form, "#password");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const typed = { username: username.value, password: password.value };
    if (await signIn(() => post("login", typed), part(person, "[role=alert]"))) goOn();
    else password.select();
  });
  // The back button must not bring it back.
  addEventListener("pagehide", () => (password.value = ""));
}

function bindPasskey() {
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("#use-passkey"));
  if (!button) return;
  if (!arePasskeysKnown()) {
    const note = document.createElement("p");
    note.className = "muted";
    note.textContent = NOT_IN_THIS_BROWSER;
    button.replaceWith(note);
    return;
  }
  button.addEventListener("click", async () => {
    if (await signIn(signInWithPasskey, part(person, "[role=alert]"))) goOn();
    else button.focus();
  });
}

/** @param {string} token */
async function recover(token) {
  const alert = part(document, "#link-failure");
  if (await signIn(() => post("recover", { token }), alert, "Letting you in with the link…")) {
    location.replace("/settings?recovered#ways-in");
  }
}

bindPassword();
bindPasskey();
document.querySelector("#open-sandbox")?.addEventListener("click", () => keyForm.openSandbox());
if (link.recovery !== null) recover(link.recovery);
