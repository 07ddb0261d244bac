import assert from "node:assert/strict";
import { test } from "node:test";

import { chosenIn, positionAddress } from "../../static/js/position_address.js";

test("an address chooses what it was made of", () => {
  assert.deepEqual(chosenIn(positionAddress("KX-26", null)), { ticker: "KX-26", accountId: null });
  assert.deepEqual(chosenIn(positionAddress("KX-26", 7)), { ticker: "KX-26", accountId: 7 });
});

test("a ticker may hold what parts an address", () => {
  assert.deepEqual(chosenIn(positionAddress("A/7 %#", 12)), { ticker: "A/7 %#", accountId: 12 });
  assert.deepEqual(chosenIn(positionAddress("A/7", null)), { ticker: "A/7", accountId: null });
});

test("anything else chooses nothing", () => {
  for (const hash of ["", "#/", "#/position/", "#/position/A/b", "#/position/A/1/2", "#positions"]) {
    assert.equal(chosenIn(hash), null);
  }
});

test("half an escape, typed by hand, chooses nothing", () => {
  assert.equal(chosenIn("#/position/A%2"), null);
});
