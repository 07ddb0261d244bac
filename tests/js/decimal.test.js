import assert from "node:assert/strict";
import { test } from "node:test";

import { compareDecimals, sumOf } from "../../static/js/decimal.js";

for (const [a, b, expected] of [
  ["1", "2", -1],
  ["10", "9", 1],
  ["-10", "-9", -1],
  ["-1", "1", -1],
  ["0.5", "0.45", 1],
  ["-0.5", "-0.45", -1],
  ["1.50", "1.5", 0],
  ["-0.00", "0", 0],
  ["007.1", "7.1", 0],
  // One apart in the 18th decimal: as floating point they would be equal.
  ["0.100000000000000001", "0.1", 1],
  ["9007199254740993", "9007199254740992", 1],
]) {
  test(`${a} against ${b}`, () => {
    assert.equal(Math.sign(compareDecimals(a, b)), expected);
  });
}

test("a sum is exact, whatever the number of decimals", () => {
  assert.equal(sumOf(["0.1", "0.2"]), "0.3");
  assert.equal(sumOf(["-0.005", "1", "0.0049"]), "0.9999");
  assert.equal(sumOf(["9007199254740993", "0.000000001"]), "9007199254740993.000000001");
  assert.equal(sumOf(["-1.50", "1.50"]), "0");
  assert.equal(sumOf([]), "0");
});

test("a sum of which one part is unknown is unknown", () => {
  assert.equal(sumOf(["1", null]), null);
});
