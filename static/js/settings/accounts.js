// @ts-check
/**
 * The accounts at the exchange, and the stored keys of each.
 */

import { FORGET_SECONDS, patch, remove } from "../api.js";
import { part } from "../elements/template.js";
import { KeyForm } from "../key_form.js";
import { erased, forgetHeld } from "../offline/erasing.js";
import { button, row } from "./rows.js";
import { abilities, accountFacts, accountWarning, keyFacts, keyWarning } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Known} Known */
/** @typedef {import("../people_types.js").ExchangeAccount} ExchangeAccount */
/** @typedef {import("../people_types.js").StoredKey} StoredKey */

/** @param {Desk} desk */
export function bindAccounts(desk) {
  const place = part(document, "#add-account");
  const invitation = /** @type {HTMLInputElement | null} */ (place.querySelector("#invitation"));
  const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (place.querySelectorAll("button"));
  const form = new KeyForm(part(place, "#key-form"), {
    invitation: () => invitation?.value.trim() || null,
    onPending(isPending) {
      for (const each of buttons) each.disabled = isPending;
    },
    async onAccepted({ account }) {
      form.reset();
      const isDone = await desk.do({
        at: section(),
        act: async () => {},
        done: `The account “${account.label}” is here.`,
      });
      if (isDone) document.getElementById(`rename-${account.id}`)?.focus();
    },
  });
  form.bindSandbox();
}

/** @param {Known} known @param {Desk} desk */
export function drawAccounts({ session }, desk) {
  const { accounts, credentials } = session;
  part(document, "#account-list").replaceChildren(
    ...accounts.map((account) => {
      const keys = credentials.filter((key) => key.account_id === account.id);
      return accountRow(account, keys, accounts, desk);
    }),
  );
}

/**
 * @param {ExchangeAccount} account
 * @param {StoredKey[]} keys its own
 * @param {ExchangeAccount[]} accounts all
 * @param {Desk} desk
 */
function accountRow(account, keys, accounts, desk) {
  const { id, label, environment, is_default } = account;
  const node = row("account-row", {
    name: label,
    facts: accountFacts(account),
    warning: accountWarning(account, accounts),
  });
  const badge = part(node, ".badge");
  badge.textContent = environment.toUpperCase();
  badge.dataset.environment = environment;
  part(node, ".mark-default").hidden = !is_default || accounts.length === 1;
  bindRename(node, account, desk);
  const makeDefault = button(node, "default", `default-${id}`, `Make default: “${label}”`, () =>
    desk.do({
      at: section(),
      act: () => patch(`accounts/${id}`, { is_default: true }),
      done: `“${label}” is the default account.`,
    }),
  );
  makeDefault.hidden = is_default;
  button(node, "forget", `forget-${id}`, `Forget… the account “${label}”`, () =>
    desk.do({
      at: section(),
      question: {
        title: `Forget “${label}”?`,
        text:
          "The account’s keys and all figures kept for it are deleted from this server. Nothing " +
          "changes at the exchange. If it is your last account and you have no password and no " +
          "passkey, nothing of yours is left here, and you are signed out.",
        yes: "Forget the account",
      },
      async act() {
        await remove(`accounts/${id}`, FORGET_SECONDS);
        // What this browser keeps for when the server can't be reached has its figures too.
        forgetHeld(id);
        await erased();
      },
      done: `“${label}” is forgotten.`,
    }),
  );
  const now = Date.now();
  const list = part(node, ".keys");
  list.setAttribute("aria-label", `Keys of “${label}”`);
  list.replaceChildren(...keys.map((key) => keyRow(key, label, now, desk)));
  list.hidden = keys.length === 0;
  if (keys.length === 0) tellNoKey(node);
  return node;
}

/** @param {HTMLElement} node */
function tellNoKey(node) {
  const warning = part(node, "[data-text=warning]");
  warning.hidden = false;
  warning.textContent = `No key is stored: its figures stay as last known. Add one. ${warning.textContent}`;
}

/** @param {HTMLElement} node @param {ExchangeAccount} account @param {Desk} desk */
function bindRename(node, { id, name, label }, desk) {
  const form = part(node, "form");
  /** @type {HTMLInputElement} */
  const input = part(form, "input");
  const open = button(node, "rename", `rename-${id}`, `Rename “${label}”`, () => show(true));
  const show = (/** @type {boolean} */ isOpen) => {
    form.hidden = !isOpen;
    open.hidden = isOpen;
    input.value = name;
    if (isOpen) input.select();
    else open.focus();
  };
  input.setAttribute("aria-label", `New name of “${label}”`);
  button(node, "cancel", `keep-name-${id}`, `Cancel: keep the name “${label}”`, () => show(false));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = input.value;
    const isDone = await desk.do({
      at: section(),
      act: () => patch(`accounts/${id}`, { name: chosen }),
      done: `The account is called “${chosen.trim()}” now.`,
    });
    if (isDone) document.getElementById(open.id)?.focus();
  });
}

/** @param {StoredKey} key @param {string} account @param {number} now @param {Desk} desk */
function keyRow(key, account, now, desk) {
  const { id, api_key_id_hint: hint } = key;
  const node = row("key-row", {
    name: `Key ${hint}`,
    abilities: abilities(key.scopes),
    facts: keyFacts(key, now),
    warning: keyWarning(key),
  });
  button(node, "delete", `delete-key-${id}`, `Delete… the key ${hint}`, () =>
    desk.do({
      at: section(),
      question: {
        title: `Delete the key ${hint}?`,
        text:
          `It is deleted from this server; at the exchange it stays as it is. Without a key left, ` +
          `the figures of “${account}” stay as last known.`,
        yes: "Delete the key",
      },
      act: () => remove(`credentials/${id}`),
      done: `The key ${hint} is deleted.`,
    }),
  );
  return node;
}

function section() {
  return part(document, "#accounts");
}
