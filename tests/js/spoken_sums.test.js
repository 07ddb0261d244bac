import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { SpokenSums } from "../../static/js/shell/spoken_sums.js";

const sum = (unrealized_pnl, day_pnl = null, heading = "") => ({
  heading,
  ids: [1],
  portfolio: { unrealized_pnl, day_pnl },
});

let spoken;

beforeEach(() => {
  spoken = new SpokenSums();
});

describe("the P&L said aloud", () => {
  test("is in words, without signs and arrows", () => {
    assert.deepEqual(spoken.due([sum("12.34", "-1")], 0), [
      "Unrealized P&L up $12.34, today down $1.00.",
    ]);
  });

  test("says of which environment, where there are two", () => {
    assert.deepEqual(spoken.due([sum("0", null, "Demo"), sum("-5.5", "0", "Production")], 0), [
      "Demo: Unrealized P&L unchanged.",
      "Production: Unrealized P&L down $5.50, today unchanged.",
    ]);
  });

  test("leaves out what is unknown", () => {
    assert.deepEqual(spoken.due([sum(null)], 0), []);
    assert.deepEqual(spoken.due([{ heading: "", ids: [1], portfolio: undefined }], 0), []);
    assert.deepEqual(spoken.due([sum(null, "2")], 0), ["Today up $2.00."]);
  });

  test("is said every half minute at most, and only if it is another", () => {
    const said = [
      [0, "1"],
      [29_999, "2"],
      [30_000, "1"],
      [30_001, "2"],
      [59_999, "3"],
      [60_001, "3"],
    ].map(([now, amount]) => spoken.due([sum(amount)], now).length);

    assert.deepEqual(said, [1, 0, 0, 1, 0, 1]);
  });
});
