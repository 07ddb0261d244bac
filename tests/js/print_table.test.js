import assert from "node:assert/strict";
import { test } from "node:test";

import { useLocale } from "../../static/js/locale.js";
import { ageText } from "../../static/js/shell/print_table.js";

test("figures on paper are as old as the oldest account's", () => {
  useLocale("en-GB");
  const times = ["2026-11-29T10:00:00Z", "2026-11-28T08:00:00Z", null];

  assert.match(ageText(times), /^Figures as of 28 Nov 2026/);
  assert.equal(ageText([null]), "No figures yet.");
});
