import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { connectionView } from "../../static/js/connection.js";

const NOON = new Date(2026, 10, 24, 12, 3, 22);
const now = NOON.getTime() + 5_000;

function connection(status, fields = {}) {
  return { status, attempt: 0, retry_at: null, reason: null, since: null, live_until: null, ...fields };
}

describe("what is said", () => {
  for (const [status, fields, message, action] of [
    ["live", {}, "", null],
    ["connecting", {}, "Connecting to the exchange…", null],
    ["reconnecting", { live_until: NOON }, "Reconnecting… prices as of 12:03:22.", "retry"],
    ["reconnecting", {}, "Reconnecting…", "retry"],
    [
      "reconnecting",
      { live_until: NOON, reason: "worker_down" },
      "Reconnecting… prices as of 12:03:22. The server's worker isn't running.",
      "retry",
    ],
    [
      "maintenance",
      { retry_at: NOON, live_until: NOON },
      "The exchange is in maintenance until 12:03:22. Prices as of 12:03:22.",
      "retry",
    ],
    [
      "disconnected",
      { retry_at: NOON },
      "The exchange can't be reached. Next try at 12:03:22.",
      "retry",
    ],
    ["disconnected", { reason: "no_credential" }, "No key is stored for this account.", "sign-in"],
    ["unauthorized", {}, "The exchange refuses the stored key.", "sign-in"],
  ]) {
    test(`${status} ${Object.keys(fields)}`, () => {
      const instants = Object.fromEntries(
        Object.entries(fields).map(([key, value]) => [key, value.toISOString?.() ?? value]),
      );

      const view = connectionView(connection(status, instants), null, now);

      assert.equal(view.status, status);
      assert.equal(view.message, message);
      assert.equal(view.action, action);
    });
  }
});

describe("staleness", () => {
  test("quiet prices are current while live", () => {
    assert.equal(connectionView(connection("live"), null, now).isStale, false);
  });

  test("figures look live for 15 seconds after the last sign of life, and no longer", () => {
    const lost = connection("reconnecting", { live_until: NOON.toISOString() });

    assert.equal(connectionView(lost, null, NOON.getTime() + 14_999).isStale, false);
    assert.equal(connectionView(lost, null, NOON.getTime() + 15_000).isStale, true);
  });

  test("figures that never were live are stale at once", () => {
    assert.equal(connectionView(connection("connecting"), null, now).isStale, true);
  });

  test("before the server has spoken there is nothing to be stale", () => {
    assert.equal(connectionView(null, null, now).isStale, false);
  });
});

describe("when the server can't be reached", () => {
  test("prices are as of the last event that came while live", () => {
    const view = connectionView(connection("live"), { lostAt: NOON.getTime() }, now);

    assert.equal(view.status, "reconnecting");
    assert.equal(
      view.message,
      "Reconnecting… prices as of 12:03:22. This page can't reach its server.",
    );
  });

  test("prices are as of the exchange's last sign of life if it was gone before", () => {
    const gone = connection("maintenance", { live_until: NOON.toISOString() });

    const view = connectionView(gone, { lostAt: now }, now);

    assert.match(view.message, /prices as of 12:03:22/);
  });
});
