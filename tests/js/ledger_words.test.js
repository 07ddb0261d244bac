import assert from "node:assert/strict";
import { test } from "node:test";

import { useLocale } from "../../static/js/locale.js";
import { isReading, reachText, unexplainedText } from "../../static/js/ledger_words.js";

useLocale("en-US");

const whole = {
  residual: "0",
  complete_from: "2026-08-25T13:00:00Z",
  unexplained: [],
  disagreements: [],
};
const reading = { ...whole, residual: null, complete_from: "2026-11-12T09:00:00Z" };

test("what is complete is said with its beginning", () => {
  assert.match(reachText([whole]), /^Records are complete since Aug 25, 2026/);
  assert.equal(unexplainedText([whole]), "");
});

test("of several accounts the one furthest behind counts", () => {
  assert.equal(isReading(reading), true);
  assert.match(reachText([reading, whole]), /^Reading your history: so far .* Nov 12, 2026/);
});

test("an account without a record has nothing to be complete since", () => {
  assert.equal(reachText([{ ...whole, residual: null, complete_from: null }]), "Nothing is recorded yet.");
});

test("each unexplained amount is told with its sign, of many the first", () => {
  const odd = {
    ...whole,
    unexplained: ["3.07", "-1", "2", "5"].map((amount) => ({ amount, to: "2026-09-24T10:00:00Z" })),
    disagreements: [{ ticker: "KXFED-26DEC-T4" }],
  };

  const text = unexplainedText([odd]);

  assert.match(text, /^▲ \+\$3\.07 of cash that no record explains/);
  assert.match(text, /▼ −\$1\.00/);
  assert.match(text, /And 2 more\.$/);
});
