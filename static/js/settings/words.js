// @ts-check
/**
 * What the settings say in words.
 */

import { age, dateTime } from "../format.js";

/** @typedef {import("../people_types.js").CurrentSession} CurrentSession */
/** @typedef {import("../people_types.js").ExchangeAccount} ExchangeAccount */
/** @typedef {import("../people_types.js").ListedSession} ListedSession */
/** @typedef {import("../people_types.js").Passkey} Passkey */
/** @typedef {import("../people_types.js").StoredKey} StoredKey */

/** The server keeps the time of a use to the minute. */
const JUST_NOW_MS = 120_000;

/**
 * @param {string} instant RFC 3339
 * @param {number} now milliseconds since 1970
 */
export function ago(instant, now) {
  return now - Date.parse(instant) < JUST_NOW_MS ? "just now" : `${age(instant, now)} ago`;
}

/** @param {StoredKey["scopes"]} scopes what a key can do, as the exchange names it */
export function abilities(scopes) {
  if (scopes.length === 0) return "the exchange doesn’t tell what it can do";
  const writes = scopes.some((scope) => scope === "write" || scope.startsWith("write::"));
  return writes ? "can also trade" : "can only read";
}

/** @param {StoredKey} key @param {number} now */
export function keyFacts({ checked_at, created_at }, now) {
  return `Accepted by the exchange ${ago(checked_at, now)} · added ${dateTime(created_at)}`;
}

/** @param {StoredKey} key */
export function keyWarning({ status }) {
  return status === "refused"
    ? "The exchange refuses this key. Add a valid one, and delete this."
    : "";
}

/** @param {ExchangeAccount} account */
export function accountFacts({ subaccount, created_at }) {
  const where = subaccount === 0 ? "" : `Subaccount ${subaccount} · `;
  return `${where}Here since ${dateTime(created_at)}`;
}

/**
 * @param {ExchangeAccount} account
 * @param {ExchangeAccount[]} accounts
 */
export function accountWarning({ same_as }, accounts) {
  if (same_as === null) return "";
  const other = accounts.find((account) => account.id === same_as);
  return `At the exchange this is the same account as ${
    other ? `“${other.label}”` : "another of yours"
  }, so sums count it once.`;
}

/** @param {Passkey} passkey @param {number} now */
export function passkeyFacts({ created_at, last_used_at }, now) {
  const used = last_used_at === null ? "never used" : `used ${ago(last_used_at, now)}`;
  return `Made ${dateTime(created_at)} · ${used}`;
}

/** @param {Passkey} passkey */
export function passkeyWarning({ works_here }) {
  return works_here ? "" : "Doesn’t work at this address: it was made when the server had another.";
}

/** What is to be known before a passkey is deleted. @param {CurrentSession} session whose it is */
export function whatGoesWithPasskey({ has_password, passkey_count }) {
  const usual =
    "It opens nothing here any more, and sessions by password or passkey that are open elsewhere " +
    "end. Where it is kept, the device may still offer it.";
  if (has_password || passkey_count > 1) return usual;
  return (
    "This is your last way in beside your keys. Set a password first, if you want to come back " +
    `without a key. ${usual}`
  );
}

/** @param {ListedSession} session */
export function sessionName({ browser }) {
  return browser || "A browser or program that doesn’t say its name";
}

/** @param {ListedSession} session @param {number} now */
export function sessionFacts({ of, address, created_at, last_used_at }, now) {
  const by = of === "key" ? "By a key" : "By password, passkey or link";
  const from = address && ` · from ${address}`;
  return `${by}${from} · used ${ago(last_used_at, now)} · since ${dateTime(created_at)}`;
}

/**
 * A first name for a passkey: the browser that makes it, without its version, which changes.
 *
 * @param {ListedSession[]} sessions
 */
export function passkeyName(sessions) {
  const browser = sessions.find((session) => session.is_current)?.browser ?? "";
  return browser.replace(/ \d+/, "") || "My passkey";
}

/** @param {CurrentSession} session whether there is another way in than a key */
export function hasWayIn({ has_password, passkey_count }) {
  return has_password || passkey_count > 0;
}

/**
 * What `forget` deletes, which depends on whom the session proves.
 *
 * @param {CurrentSession} session
 */
export function whatIsForgotten(session) {
  const exchange = "Nothing changes at the exchange.";
  if (session.of === "person") {
    return (
      "Deletes all that is yours on this server: name, password and passkeys, all sessions, and " +
      `all accounts (${namesOf(session.accounts)}) with their keys and figures. ${exchange}`
    );
  }
  const rest = hasWayIn(session)
    ? "Your name, password, passkeys and other accounts stay."
    : "If you have no other account here, nothing of yours is left.";
  return (
    `Deletes the accounts whose key was shown in this session (${namesOf(session.accounts)}), ` +
    `with their keys and figures. ${rest} ${exchange}`
  );
}

/** @param {ExchangeAccount[]} accounts */
function namesOf(accounts) {
  return accounts.length === 0 ? "none" : accounts.map(({ label }) => `“${label}”`).join(", ");
}
