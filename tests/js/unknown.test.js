import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { whyUnknown } from "../../static/js/words/unknown.js";

const types = readFileSync(new URL("../../static/js/types.js", import.meta.url), "utf8");

/** The fields that the contract's shape has. @param {string} shape */
function fieldsOf(shape) {
  const block = types.split("@typedef").find((each) => each.startsWith(` {object} ${shape}\n`)) ?? "";
  return [...block.matchAll(/@property \{[^}]*\} \[?(\w+)/g)].map(([, name]) => name);
}

/** A record of which nothing is known. @param {string} shape @param {object} known */
function blank(shape, known) {
  return { ...Object.fromEntries(fieldsOf(shape).map((name) => [name, null])), ...known };
}

const position = (changes) =>
  blank("Position", { ticker: "T", side: "yes", market_status: "active", ...changes });
const portfolio = (changes) =>
  blank("Portfolio", {
    account_id: 1,
    cash_provisional: false,
    reconciled_at: "2026-11-24T12:00:00Z",
    position_count: 1,
    unpriced_count: 0,
    ...changes,
  });

describe("every field says why it is a dash", () => {
  test("the shapes are found", () => {
    assert.ok(fieldsOf("Position").includes("expected_expiration_time"));
    assert.ok(fieldsOf("Portfolio").includes("exchange_portfolio_value"));
  });

  for (const [shape, record, answers] of [
    ["Position", position({}), ["unreadable"]],
    ["Portfolio", portfolio({}), ["account_id", "version", "environment"]],
  ]) {
    for (const field of fieldsOf(shape)) {
      test(`${shape}.${field}`, () => {
        const why = whyUnknown(field, record);

        if (answers.includes(field)) assert.equal(why, "");
        else assert.match(why, /^[A-Z].*\.$/);
        // Not what is said of a field that nobody thought of.
        assert.notEqual(why, whyUnknown("no_such_field", record));
      });
    }
  }
});

describe("a position's reasons", () => {
  for (const [field, changes, expected] of [
    ["mark", {}, /nobody bids for YES, and there was no trade/],
    ["mark", { side: "no" }, /nobody bids for NO/],
    ["mark", { market_status: "closed" }, /is not trading, and there was no trade before/],
    ["mark", { market_status: "determined" }, /decided, but what a contract pays is not told/],
    ["mark", { market_status: "unknown" }, /neither a quote nor a trade is known/],
    ["mark", { unreadable: "market" }, /row for this market can't be read/],
    ["market_value", { unreadable: "position" }, /row for this position can't be read/],
    ["unrealized_pnl_percent", { mark: "0.5", exposure: "0" }, /cost nothing/],
    ["unrealized_pnl_percent", {}, /no price/],
    ["yes_bid", {}, /Nobody bids for YES/],
    ["yes_ask", { market_status: "inactive" }, /paused, so there are no quotes/],
    ["yes_bid_size", { market_status: "finalized" }, /decided, so there are no quotes/],
    ["last_price", {}, /no trade in this market yet/],
    ["day_pnl", {}, /no price/],
    ["day_pnl", { net_pnl: "1" }, /Where this market stood/],
  ]) {
    test(`${field} where ${JSON.stringify(changes)}`, () => {
      assert.match(whyUnknown(field, position(changes)), expected);
    });
  }

  test("today's waits for the history, or for the day's beginning", () => {
    const priced = position({ net_pnl: "1" });

    assert.match(whyUnknown("day_pnl", priced, { isReading: true }), /still being read/);
    assert.match(
      whyUnknown("day_pnl", priced, { portfolio: portfolio({ day_pnl_since: null }) }),
      /no beginning/,
    );
  });
});

describe("the reasons of an event's head", () => {
  const head = (...open) => ({ kind: "event", open, positions: open });
  const [priced, unpriced] = [position({ mark: "0.5" }), position({})];

  test("are that a part of the sum is missing", () => {
    assert.match(whyUnknown("market_value", head(priced, unpriced)), /One of its positions has no price/);
    assert.match(whyUnknown("day_pnl", head(priced, unpriced)), /has no price/);
    assert.match(whyUnknown("day_pnl", head(priced)), /where it stood as the day began/);
    assert.match(whyUnknown("day_pnl", head(priced), { isReading: true }), /still being read/);
  });
});

describe("a portfolio's reasons", () => {
  for (const [field, changes, context, expected] of [
    ["cash", { reconciled_at: null }, {}, /has not been checked with the exchange/],
    ["cash", {}, {}, /has not told the balance/],
    ["total_value", {}, {}, /has not told the balance/],
    ["collateral_returned", {}, {}, /could not be established/],
    ["exchange_portfolio_value", { cash: "1" }, {}, /last balance did not say/],
    ["unrealized_pnl_percent", { unrealized_pnl: "0", position_count: 0 }, {}, /No position is open/],
    [
      "unrealized_pnl_percent",
      { unrealized_pnl: "0", position_count: 2, unpriced_count: 2 },
      {},
      /None of the positions has a price/,
    ],
    ["day_pnl", {}, {}, /balance/],
    ["day_pnl", { total_value: "1" }, { isReading: true }, /still being read/],
    ["day_pnl", { total_value: "1" }, {}, /no beginning/],
    [
      "day_pnl",
      { total_value: "1", day_pnl_since: "2026-11-24T05:00:00Z", unpriced_count: 1 },
      {},
      /had a price as the day began has none now/,
    ],
    ["cash", { account_id: null }, {}, /at least one of these accounts/],
    ["cash", { account_id: null, reconciled_at: null }, {}, /One of these accounts, at least/],
  ]) {
    test(`${field} where ${JSON.stringify(changes)}`, () => {
      assert.match(whyUnknown(field, portfolio(changes), context), expected);
    });
  }

  test("before anything has come, everything is on its way", () => {
    assert.equal(whyUnknown("cash", {}), "The figures are still on their way.");
  });
});
