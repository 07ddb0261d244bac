import assert from "node:assert/strict";
import { test } from "node:test";

import { Sorting, isOrder } from "../../static/js/list/orders.js";

const inOrder = (positions, order) => new Sorting(order).sorted(positions);

const tickers = (positions) => positions.map(({ ticker }) => ticker);

test("by value, the largest comes first and the unknown last", () => {
  const positions = [
    { ticker: "UNPRICED", market_value: null },
    { ticker: "SMALL", market_value: "9.50" },
    { ticker: "LARGE", market_value: "10.00" },
  ];

  assert.deepEqual(tickers(inOrder(positions, "value")), ["LARGE", "SMALL", "UNPRICED"]);
});

test("by profit or loss, a loss comes after a gain", () => {
  const positions = [
    { ticker: "LOSS", unrealized_pnl: "-12.00" },
    { ticker: "FLAT", unrealized_pnl: "0.00" },
    { ticker: "GAIN", unrealized_pnl: "3.00" },
    { ticker: "SLIGHT", unrealized_pnl: "-1.00" },
  ];

  assert.deepEqual(tickers(inOrder(positions, "pnl")), ["GAIN", "FLAT", "SLIGHT", "LOSS"]);
});

test("by closing time, the next to close comes first", () => {
  const positions = [
    { ticker: "OPEN-ENDED", close_time: null },
    { ticker: "LATER", close_time: "2026-12-01T00:00:00Z" },
    { ticker: "SOON", close_time: "2026-11-24T00:00:00Z" },
  ];

  assert.deepEqual(tickers(inOrder(positions, "closing")), ["SOON", "LATER", "OPEN-ENDED"]);
});

test("a position without a title is ordered by its ticker", () => {
  const positions = [
    { ticker: "B", title: null },
    { ticker: "Z", title: "A title" },
  ];

  assert.deepEqual(tickers(inOrder(positions, "name")), ["Z", "B"]);
});

test("equal positions keep one order, whatever the order they came in", () => {
  const [a, b] = [
    { ticker: "A", day_pnl: "1.0" },
    { ticker: "B", day_pnl: "1.00" },
  ];

  assert.deepEqual(tickers(inOrder([a, b], "day")), tickers(inOrder([b, a], "day")));
});

test("one market in two accounts keeps one order", () => {
  const [first, second] = [
    { ticker: "A", account_id: 9, day_pnl: null },
    { ticker: "A", account_id: 10, day_pnl: null },
  ];

  assert.deepEqual(inOrder([second, first], "day"), [first, second]);
  assert.deepEqual(inOrder([first, second], "day"), [first, second]);
});

test("only names of orders are orders", () => {
  assert.equal(isOrder("value"), true);
  assert.equal(isOrder("toString"), false);
  assert.equal(isOrder(undefined), false);
});

test("reversed, the unknown is still last", () => {
  const positions = [
    { ticker: "UNPRICED", market_value: null },
    { ticker: "LARGE", market_value: "10.00" },
    { ticker: "SMALL", market_value: "9.50" },
  ];

  assert.deepEqual(tickers(new Sorting("value", true).sorted(positions)), [
    "SMALL",
    "LARGE",
    "UNPRICED",
  ]);
});

test("what a double can't tell apart is told apart by its digits", () => {
  const positions = [
    { ticker: "A", market_value: "9007199254740993.000000001" },
    { ticker: "B", market_value: "9007199254740993.000000002" },
  ];

  assert.deepEqual(tickers(inOrder(positions, "value")), ["B", "A"]);
});

test("the biggest mover may be a loser", () => {
  const positions = [
    { ticker: "UP", day_pnl: "3" },
    { ticker: "DOWN", day_pnl: "-4" },
    { ticker: "STILL", day_pnl: "0" },
  ];

  assert.deepEqual(tickers(inOrder(positions, "mover")), ["DOWN", "UP", "STILL"]);
  assert.deepEqual(tickers(inOrder(positions, "loser")), ["DOWN", "STILL", "UP"]);
});

test("it is decided when the outcome is expected, not at a formal close weeks later", () => {
  const positions = [
    { ticker: "LATE", close_time: "2026-12-01T00:00:00Z", expected_expiration_time: null },
    {
      ticker: "TONIGHT",
      close_time: "2026-12-20T00:00:00Z",
      expected_expiration_time: "2026-11-24T00:00:00Z",
    },
  ];

  assert.deepEqual(tickers(inOrder(positions, "closing")), ["TONIGHT", "LATE"]);
});

test("an order is kept until figures change it", () => {
  const sorting = new Sorting("value");
  const [large, small] = [
    { ticker: "LARGE", market_value: "10" },
    { ticker: "SMALL", market_value: "9" },
  ];

  assert.equal(sorting.isKept([large, small]), true);
  assert.equal(sorting.isKept([large, { ...small, market_value: "11" }]), false);
});
