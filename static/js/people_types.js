// @ts-check
/**
 * What the server sends about people, their accounts and their sessions, once. A time is RFC 3339
 * in UTC.
 *
 * @typedef {object} ExchangeAccount
 * @property {number} id
 * @property {string} name the owner's word for it
 * @property {string} label the name, told apart from others that have the same
 * @property {string} environment
 * @property {number} subaccount
 * @property {boolean} is_default
 * @property {number | null} same_as the account that is the same one at the exchange
 * @property {string} created_at
 *
 * @typedef {object} StoredKey
 * @property {number} id
 * @property {number} account_id
 * @property {string} environment
 * @property {string} api_key_id_hint
 * @property {"usable" | "refused"} status
 * @property {string[]} scopes empty when the exchange does not tell
 * @property {string} created_at
 * @property {string} checked_at when the exchange last accepted it
 *
 * @typedef {object} CurrentSession
 * @property {number} user_id
 * @property {string | null} username
 * @property {"key" | "person"} of
 * @property {boolean} is_staff
 * @property {boolean} has_password
 * @property {number} passkey_count
 * @property {ExchangeAccount[]} accounts those that the session sees
 * @property {StoredKey[]} credentials theirs
 *
 * @typedef {object} Passkey
 * @property {number} id
 * @property {string} name
 * @property {string} created_at
 * @property {string | null} last_used_at
 * @property {boolean} works_here false if it was made when this server had another name
 *
 * @typedef {object} ListedSession
 * @property {string} id
 * @property {"key" | "person"} of
 * @property {string} created_at
 * @property {string} last_used_at
 * @property {string} address
 * @property {string} browser such as `Firefox 144 on Windows`
 * @property {boolean} is_current
 *
 * @typedef {object} SignedIn
 * @property {number} user_id
 *
 * @typedef {SignedIn & {account: ExchangeAccount}} SignedInWithKey
 */

export {};
