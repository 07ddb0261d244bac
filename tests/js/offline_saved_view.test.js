import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { asSaved, mayBeShown } from "../../static/js/offline/saved_view.js";

const NOON = Date.parse("2026-03-02T12:00:00Z");
const HOUR = 3_600_000;
const LIVE = { status: "live", attempt: 0, retry_at: null, reason: null, since: null, live_until: null };

function picture(connection = LIVE) {
  return {
    savedAt: NOON,
    userId: "7",
    accounts: [{ id: 1, label: "Production" }, { id: 2, label: "Demo" }],
    snapshots: [{ type: "snapshot", account_id: 1, positions: [], connection }],
    sums: [],
  };
}

describe("a saved picture", () => {
  const CASES = [
    ["just saved", 0, true],
    ["23 h old", 23 * HOUR, true],
    ["older than any session", 24 * HOUR, false],
    ["of a clock that was set back an hour", -HOUR, true],
    ["of another time altogether", -24 * HOUR, false],
  ];
  for (const [name, age, isShown] of CASES) {
    test(`${name} is ${isShown ? "" : "not "}shown`, () => {
      assert.equal(mayBeShown(picture(), NOON + age), isShown);
    });
  }

  test("of nobody is not shown", () => {
    assert.equal(mayBeShown({ ...picture(), userId: "" }, NOON), false);
  });

  test("has no live connection: that ended when it was saved", () => {
    const [{ connection }] = asSaved(picture()).snapshots;

    assert.equal(connection.status, "reconnecting");
    assert.equal(connection.live_until, "2026-03-02T12:00:00.000Z");
  });

  test("keeps since when a connection had been down", () => {
    const down = { ...LIVE, status: "unauthorized", live_until: "2026-03-02T09:00:00Z" };

    const [{ connection }] = asSaved(picture(down)).snapshots;

    assert.equal(connection.live_until, "2026-03-02T09:00:00Z");
  });

  test("names no account without figures", () => {
    assert.deepEqual(asSaved(picture()).accounts.map(({ id }) => id), [1]);
  });
});
