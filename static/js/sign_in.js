// @ts-check
/**
 * The sign-in page: a person's own ways in, a key of the exchange, and links that serve once.
 */

import { takeBack } from "./alerts.js";
import { tellFailure } from "./at_fault.js";
import { post } from "./api.js";
import { Cancelled } from "./cancelled.js";
import { destination } from "./destination.js";
import { part } from "./elements/template.js";
import { KeyForm } from "./key_form.js";
import { openKeyGuideForNewcomers, rememberVisit } from "./key_guide.js";
import { erase } from "./link/saved_picture.js";
import { oneTimeLink } from "./one_time_link.js";
import { NOT_IN_THIS_BROWSER, arePasskeysKnown, signInWithPasskey } from "./passkeys.js";

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
  rememberVisit();
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
 * @param {HTMLElement | null} again what to press for another try
 * @param {string} [meanwhile] what is said while it is tried
 * @returns {Promise<boolean>}
 */
async function signIn(way, alert, again, meanwhile = "") {
  takeBack();
  said.textContent = meanwhile;
  setPending(true);
  try {
    await way();
    return true;
  } catch (error) {
    setPending(false);
    said.textContent = error instanceof Cancelled ? error.message : "";
    if (error instanceof Cancelled) again?.focus();
    else tellFailure(alert, error, again);
    return false;
  }
}

function bindPassword() {
  const form = part(person, "form");
  /** @type {HTMLInputElement} */
  const username = part(form, "#username");
  /** @type {HTMLInputElement} */
  const password = part(form, "#password");
  const submit = part(form, "[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const typed = { username: username.value, password: password.value };
    if (await signIn(() => post("login", typed), part(person, "[role=alert]"), submit)) goOn();
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
    if (await signIn(signInWithPasskey, part(person, "[role=alert]"), button)) goOn();
  });
}

/** @param {string} token */
async function recover(token) {
  const alert = part(document, "#link-failure");
  if (await signIn(() => post("recover", { token }), alert, null, "Letting you in with the link…")) {
    rememberVisit();
    location.replace("/settings?recovered#ways-in");
  }
}

// Nobody is in, so figures that this browser still keeps are of somebody who was.
erase();
bindPassword();
bindPasskey();
keyForm.bindSandbox();
openKeyGuideForNewcomers(part(document, "#key-form"));
part(document, "main").inert = false;
if (link.recovery !== null) recover(link.recovery);
