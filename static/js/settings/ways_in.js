// @ts-check
/**
 * A person's own ways in: a name with a password, and passkeys.
 */

import { post, remove } from "../api.js";
import { part } from "../elements/template.js";
import { NOT_IN_THIS_BROWSER, arePasskeysKnown, makePasskey } from "../passkeys.js";
import { button, row } from "./rows.js";
import {
  hasWayIn,
  passkeyFacts,
  passkeyName,
  passkeyWarning,
  whatGoesWithPasskey,
} from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Known} Known */
/** @typedef {import("../people_types.js").Passkey} Passkey */

/** @param {Desk} desk */
export function bindWaysIn(desk) {
  bindPassword(desk);
  bindPasskey(desk);
}

/** @param {Known} known @param {Desk} desk */
export function drawWaysIn({ session, passkeys, sessions }, desk) {
  part(document, "#no-way-in").hidden = hasWayIn(session);
  part(document, "#password-state").textContent = session.has_password
    ? `You sign in as “${session.username}”.`
    : "None yet.";
  part(document, "#password-form [type=submit]").textContent = session.has_password
    ? "Change name and password"
    : "Set the password";
  const unseen = session.passkey_count - passkeys.length;
  part(document, "#passkey-state").textContent = passkeyState(passkeys.length, unseen);
  const now = Date.now();
  part(document, "#passkeys").replaceChildren(
    ...passkeys.map((passkey) => passkeyRow(passkey, session, now, desk)),
  );
  const name = /** @type {HTMLInputElement | null} */ (document.querySelector("#passkey-name"));
  if (name) name.value ||= passkeyName(sessions);
}

/** @param {number} seen @param {number} unseen */
function passkeyState(seen, unseen) {
  if (unseen > 0) {
    return `You have ${unseen}. ${unseen > 1 ? "They are" : "It is"} shown once you have confirmed that it is you.`;
  }
  return seen === 0 ? "None yet." : "";
}

/**
 * @param {Passkey} passkey
 * @param {Known["session"]} session
 * @param {number} now
 * @param {Desk} desk
 */
function passkeyRow(passkey, session, now, desk) {
  const { id, name } = passkey;
  const node = row("passkey-row", {
    name,
    facts: passkeyFacts(passkey, now),
    warning: passkeyWarning(passkey),
  });
  button(node, "delete", `delete-passkey-${id}`, `Delete the passkey “${name}”…`, () =>
    desk.do({
      at: place(),
      question: {
        title: `Delete “${name}”?`,
        text: whatGoesWithPasskey(session),
        yes: "Delete the passkey",
      },
      act: () => remove(`passkeys/${id}`),
      done: `The passkey “${name}” is deleted.`,
    }),
  );
  return node;
}

/** @param {Desk} desk */
function bindPassword(desk) {
  const form = part(document, "#password-form");
  /** @type {HTMLInputElement} */
  const username = part(form, "#new-username");
  /** @type {HTMLInputElement} */
  const password = part(form, "#new-password");
  /** @type {HTMLInputElement} */
  const isShown = part(form, "#show-password");
  const forget = () => {
    password.value = "";
    isShown.checked = false;
    password.type = "password";
  };
  isShown.addEventListener("change", () => {
    password.type = isShown.checked ? "text" : "password";
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const typed = { username: username.value, new_password: password.value };
    const isDone = await desk.do({
      at: place(),
      act: () => post("password", typed),
      done: "Saved. From now on you can sign in with this name and password.",
    });
    if (isDone) forget();
  });
  addEventListener("pagehide", forget);
}

/** @param {Desk} desk */
function bindPasskey(desk) {
  const form = document.querySelector("#passkey-form");
  if (!form) return;
  if (!arePasskeysKnown()) {
    const note = document.createElement("p");
    note.className = "muted";
    note.textContent = NOT_IN_THIS_BROWSER;
    form.replaceWith(note);
    return;
  }
  /** @type {HTMLInputElement} */
  const name = part(form, "#passkey-name");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = name.value;
    const isDone = await desk.do({
      at: place(),
      act: () => makePasskey(chosen),
      done: `The passkey “${chosen}” is made. You can sign in with it.`,
    });
    if (isDone) name.value = passkeyName(desk.known.sessions);
  });
}

function place() {
  return part(document, "#ways-in");
}
