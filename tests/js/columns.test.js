import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { COLUMN_NAMES, columnsIn, tracksOf } from "../../static/js/list/columns.js";

const columns = (room, { hidden = [], sorted = "value" } = {}) =>
  columnsIn({ room, gap: 10, hidden, sorted });

describe("the table's columns", () => {
  test("are all there where there is room", () => {
    assert.deepEqual(columns(1000), [...COLUMN_NAMES]);
  });

  test("give way one by one where there is none, none of them cut", () => {
    // 196 for the position, 580 for seven of the columns and 10 before each.
    assert.deepEqual(columns(846), COLUMN_NAMES.filter((name) => name !== "percent"));
    assert.deepEqual(
      columns(845),
      COLUMN_NAMES.filter((name) => name !== "percent" && name !== "average"),
    );
  });

  test("have the room of those that nobody wants to see", () => {
    assert.ok(columns(846, { hidden: ["day"] }).includes("percent"));
  });

  test("keep the one that the table is sorted by", () => {
    const shown = columns(846, { sorted: "percent" });

    assert.ok(shown.includes("percent"));
    assert.ok(!shown.includes("average"));
  });

  test("keep the profit or loss however narrow it is", () => {
    assert.deepEqual(columns(0), ["value", "pnl"]);
    assert.deepEqual(columns(0, { sorted: "name" }), ["pnl"]);
  });

  test("are tracks with their names", () => {
    assert.equal(tracksOf(["pnl"]), "minmax(196px, 4fr) [pnl] minmax(108px, 1fr)");
  });
});
