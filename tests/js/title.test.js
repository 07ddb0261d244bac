import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { dayOf, titleOf } from "../../static/js/shell/title.js";

const account = (status) => ({ connection: { status } });
const sum = (day_pnl) => ({ portfolio: { day_pnl } });

const day = ({ statuses = ["live"], sums = [sum("3.60")], loss = null } = {}) =>
  dayOf({ viewed: statuses.map(account) }, { sums }, loss);

describe("the window's title", () => {
  test("says how the day goes, where and of what", () => {
    assert.equal(titleOf(["demo"], "▲ +$3.60"), "▲ +$3.60 · Demo · Kalshi Live");
    assert.equal(titleOf(["demo"], ""), "Demo · Kalshi Live");
  });

  test("has today's P&L while all of it is live", () => {
    assert.equal(day(), "3.60");
    assert.equal(day({ statuses: ["live", "maintenance"] }), null);
    assert.equal(day({ statuses: [] }), null, "nobody has told how they are connected");
    assert.equal(day({ loss: { lostAt: 0, why: null } }), null, "our own link is down");
  });

  test("has no sum over two environments, and none that isn't known", () => {
    assert.equal(day({ sums: [sum("1"), sum("2")] }), null);
    assert.equal(day({ sums: [{ portfolio: undefined }] }), null);
  });
});
