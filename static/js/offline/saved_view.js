// @ts-check
/**
 * A saved picture as the page shows it: nothing of it is live.
 */

/** @typedef {import("../link/saved_picture.js").SavedPicture} SavedPicture */
/** @typedef {import("../types.js").Snapshot} Snapshot */

/** A session lives this long after its last use (`accounts/sessions.py`), and no picture longer. */
const SESSION_MS = 24 * 60 * 60 * 1000;

/**
 * @param {Pick<SavedPicture, "savedAt" | "userId">} picture
 * @param {number} now milliseconds since 1970
 * @returns {boolean} whether its session may still be good, as far as can be known
 */
export function mayBeShown({ savedAt, userId }, now) {
  // A clock that was set back by a little makes no picture of the future wrong.
  return userId !== "" && now - savedAt < SESSION_MS && savedAt - now < SESSION_MS;
}

/**
 * @param {SavedPicture} picture
 * @returns {SavedPicture} with every account's connection gone since it was saved, and without
 *   accounts that have no figures
 */
export function asSaved(picture) {
  const { snapshots, accounts, savedAt } = picture;
  const known = new Set(snapshots.map(({ account_id }) => account_id));
  return {
    ...picture,
    accounts: accounts.filter(({ id }) => known.has(id)),
    snapshots: snapshots.map((snapshot) => withoutConnection(snapshot, savedAt)),
  };
}

/** @param {Snapshot} snapshot @param {number} savedAt @returns {Snapshot} */
function withoutConnection(snapshot, savedAt) {
  const { connection } = snapshot;
  const isLive = connection.status === "live";
  return {
    ...snapshot,
    connection: {
      ...connection,
      status: "reconnecting",
      reason: null,
      retry_at: null,
      live_until: isLive ? new Date(savedAt).toISOString() : connection.live_until,
    },
  };
}
