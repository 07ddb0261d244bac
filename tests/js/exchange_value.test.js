import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { subtract } from "../../static/js/decimal.js";
import { useLocale } from "../../static/js/locale.js";
import { exchangeComparison } from "../../static/js/words/exchange_value.js";

useLocale("en-US");

const portfolio = (changes) => ({
  positions_value: "123.45",
  exchange_portfolio_value: "124.00",
  collateral_returned: "0",
  unpriced_count: 0,
  unreadable_count: 0,
  cash_as_of: "2026-11-24T12:00:00Z",
  ...changes,
});

describe("ours beside the exchange's", () => {
  test("nothing is said of what is equal or unknown", () => {
    for (const changes of [
      { exchange_portfolio_value: "123.450000" },
      { exchange_portfolio_value: null },
      { positions_value: null },
    ]) {
      assert.equal(exchangeComparison(portfolio(changes), "bid"), "");
    }
  });

  test("both, the difference, and what is known of the reason", () => {
    const text = exchangeComparison(portfolio({}), "bid");

    assert.match(
      text,
      /^Value of the positions: ours \$123\.45, the exchange’s \$124\.00, so ours is \$0\.55 less\./,
    );
    assert.match(text, /the best bid.*The exchange’s is of Nov 24, 2026.*does not publish\.$/);
  });

  test("a part of a cent comes of whole cents", () => {
    const text = exchangeComparison(portfolio({ positions_value: "124.0034" }), "bid");

    assert.match(text, /so ours is \$0\.0034 more\. The exchange tells its value in whole cents\.$/);
  });

  test("collateral is named where it is the difference, and nowhere else", () => {
    const returned = { collateral_returned: "7", positions_value: "131.004" };

    assert.match(exchangeComparison(portfolio(returned), "bid"), /\$7\.00 more\. That is the collateral/);
    assert.doesNotMatch(
      exchangeComparison(portfolio({ ...returned, positions_value: "132" }), "bid"),
      /collateral/,
    );
  });

  test("what ours leaves out is counted", () => {
    const text = exchangeComparison(portfolio({ unpriced_count: 2, unreadable_count: 1 }), "mid");

    assert.match(text, /Ours leaves out 2 positions without a price\./);
    assert.match(text, /Ours leaves out 1 position that can’t be read\./);
    assert.match(text, /the middle between bid and ask/);
  });
});

describe("the difference of two decimals is exact", () => {
  for (const [a, b, expected] of [
    ["1", "1", "0"],
    ["0.1", "0.3", "-0.2"],
    ["0.3", "0.1", "0.2"],
    ["-0.5", "0.25", "-0.75"],
    ["-1", "-1.000001", "0.000001"],
    ["100", "0.01", "99.99"],
    ["0", "-0.00", "0"],
    ["90071992547409931234.565", "0.005", "90071992547409931234.56"],
  ]) {
    test(`${a} − ${b} = ${expected}`, () => {
      assert.equal(subtract(a, b), expected);
    });
  }
});
