// @ts-check
/**
 * The last figures, kept in this browser for when its server can't be reached.
 *
 * They are one person's: who signs out, or is signed out, leaves none behind. That they are kept
 * is a convenience, so no failure of the storage is told.
 */

/** @typedef {import("../types.js").Snapshot} Snapshot */
/** @typedef {import("../types.js").Portfolio} Portfolio */
/** @typedef {import("../elements/account-switcher.js").NamedAccount} NamedAccount */

/**
 * @typedef {object} Picture
 * @property {NamedAccount[]} accounts the names of those that are seen
 * @property {Snapshot[]} snapshots one of each account, as it was when this was saved
 * @property {Portfolio[]} sums of several accounts, one of each environment
 *
 * @typedef {Picture & {savedAt: number, userId: string}} SavedPicture `savedAt` by this computer's
 *   clock, in milliseconds since 1970
 */

/** Raised with every change of the shapes: a page must not draw what another version has kept. */
const VERSION = 1;

const DATABASE = "kalshi-live";
const STORE = "picture";
const KEY = "newest";

/**
 * Keep this picture in place of the last.
 *
 * @param {string} userId whose figures they are
 * @param {Picture} picture
 * @param {number} [now] milliseconds since 1970
 * @returns {Promise<void>} fulfilled in any case
 */
export async function save(userId, { accounts, snapshots, sums }, now = Date.now()) {
  const record = { version: VERSION, savedAt: now, userId, accounts, snapshots, sums };
  await quietly("readwrite", (store) => store.put(record, KEY));
}

/** @returns {Promise<SavedPicture | null>} null if there is none, or none that can be read */
export async function load() {
  const record = await quietly("readonly", (store) => store.get(KEY));
  if (!record) return null;
  if (record.version !== VERSION) {
    await erase();
    return null;
  }
  const { savedAt, userId, accounts, snapshots, sums } = record;
  return { savedAt, userId, accounts, snapshots, sums };
}

/** @returns {Promise<void>} fulfilled in any case */
export async function erase() {
  await quietly("readwrite", (store) => store.clear());
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<any>} the request's result once it is on disk; undefined if anything failed
 */
async function quietly(mode, act) {
  try {
    const database = await opened();
    try {
      return await done(database.transaction(STORE, mode), act);
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransaction} transaction
 * @param {(store: IDBObjectStore) => IDBRequest} act
 */
function done(transaction, act) {
  return new Promise((resolve, reject) => {
    const request = act(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}
