import assert from "node:assert/strict";
import { test } from "node:test";

import { useLocale } from "../../static/js/locale.js";
import { dollarLabels, priceLabels, timeLabels } from "../../static/js/charts/labels.js";
import {
  before,
  fillPoints,
  priceColumns,
  priceSeries,
  shownSince,
} from "../../static/js/charts/prices.js";
import { beginningOf } from "../../static/js/charts/ranges.js";
import { roomFor, roomForPrices } from "../../static/js/charts/scale.js";
import {
  columns,
  equitySeries,
  extremes,
  secondsOf,
  withNewest,
} from "../../static/js/charts/series.js";

const at = (minute) => `2026-11-23T12:${String(minute).padStart(2, "0")}:00Z`;
const point = (minute, total_value, net_transfers = "0") => ({
  at: at(minute),
  total_value,
  net_transfers,
});

test("a gap breaks the line, and a point keeps the server's own figure", () => {
  const { points } = equitySeries({
    points: [point(0, "100.01"), point(1, "101"), point(11, "99.5")],
    gaps: [{ from: at(1), to: at(11) }],
  });

  assert.deepEqual(
    points.map(({ value }) => value),
    ["100.01", "101", null, "99.5"],
  );
  assert.deepEqual(columns(points), [
    [secondsOf(at(0)), secondsOf(at(1)), secondsOf(at(6)), secondsOf(at(11))],
    [100.01, 101, null, 99.5],
  ]);
});

test("a gap too narrow to be seen does not tear thinned points apart", () => {
  const { points } = equitySeries({
    points: [
      { at: "2026-01-01T00:00:00Z", total_value: "1", net_transfers: "0" },
      { at: "2026-11-01T00:00:00Z", total_value: "2", net_transfers: "0" },
    ],
    gaps: [{ from: "2026-05-01T00:00:00Z", to: "2026-05-01T01:00:00Z" }],
  });

  assert.equal(points.length, 2);
});

test("money that came in is marked, whatever its zeros look like", () => {
  const { flows } = equitySeries({
    points: [point(0, "100"), point(1, "100", "0.00"), point(2, "350", "250"), point(3, "300", "-50")],
    gaps: [],
  });

  assert.deepEqual(flows, [
    { time: secondsOf(at(2)), amount: "250" },
    { time: secondsOf(at(3)), amount: "-50" },
  ]);
});

test("the newest value moves the end, and stays behind only once a minute", () => {
  const stored = [{ time: 1000, value: "10" }];
  const add = (points, time, value) => withNewest(points, { time, value }, 1000, 60);

  const soon = add(add(stored, 1001, "11"), 1030, "12");
  const later = add(add(soon, 1061, "13"), 1070, "14");

  assert.deepEqual(soon, [...stored, { time: 1030, value: "12" }]);
  assert.deepEqual(
    later.map(({ time }) => time),
    [1000, 1061, 1070],
  );
  assert.deepEqual(add(soon, 900, "9"), soon, "an older one changes nothing");
});

test("extremes go by size, not by the alphabet", () => {
  const points = ["9", "10", null, "-2", "7"].map((value, time) => ({ time, value }));
  const { first, last, lowest, highest } = extremes(points);

  assert.deepEqual(
    [first, last, lowest, highest].map(({ value }) => value),
    ["9", "7", "-2", "10"],
  );
  assert.equal(extremes([{ time: 1, value: null }]), null);
});

const candle = (minute, price, previous_price = null) => ({
  ends_at: at(minute),
  price,
  previous_price,
  minutes: 1,
});
const traded = { open: "0.4", high: "0.45", low: "0.355", close: "0.41" };

test("who holds NO sees what is left of the dollar, its low where YES had its high", () => {
  const candles = [candle(1, traded)];

  assert.deepEqual(priceSeries(candles, "yes"), [
    { time: secondsOf(at(0)), value: "0.4", low: "0.355", high: "0.45" },
    { time: secondsOf(at(1)), value: "0.41", low: null, high: null },
  ]);
  assert.deepEqual(priceSeries(candles, "no"), [
    { time: secondsOf(at(0)), value: "0.6", low: "0.55", high: "0.645" },
    { time: secondsOf(at(1)), value: "0.59", low: null, high: null },
  ]);
});

test("what was traded lies within its period, also after a time without a trade", () => {
  const points = priceSeries([candle(1, traded), candle(2, traded), candle(9, traded)], "yes");

  assert.deepEqual(
    points.map(({ time, value, low }) => [time, value, low]),
    [
      [secondsOf(at(0)), "0.4", "0.355"],
      [secondsOf(at(1)), "0.41", "0.355"],
      [secondsOf(at(2)), "0.41", null],
      [secondsOf(at(8)), "0.41", "0.355"],
      [secondsOf(at(9)), "0.41", null],
    ],
  );
});

test("before the first trade there is no price, and without one the last goes on", () => {
  const points = priceSeries([candle(1, null), candle(2, null, "0.3")], "yes");

  assert.deepEqual(priceColumns(points), [[secondsOf(at(2))], [0.3], [0.3], [0.3]]);
});

test("where minutes begin late the hours before them stand in", () => {
  const hours = [candle(0, traded), candle(20, traded)];

  assert.deepEqual(before(hours, [candle(9, null, "0.4"), candle(10, traded), candle(11, null, "0.41")]), [
    hours[0],
    candle(10, traded),
    candle(11, null, "0.41"),
  ]);
  assert.deepEqual(before(hours, [candle(9, null)]), hours);
  assert.deepEqual(before([], [candle(9, null)]), [candle(9, null)]);
});

test("a time begins with the price of before it", () => {
  const points = priceSeries([candle(1, traded), candle(3, null, "0.41"), candle(9, traded)], "yes");
  const begun = secondsOf(at(5));

  assert.deepEqual(
    shownSince(points, begun).map(({ time, value, low }) => [time, value, low]),
    [
      [begun, "0.41", null],
      [secondsOf(at(8)), "0.41", "0.355"],
      [secondsOf(at(9)), "0.41", null],
    ],
  );
  assert.deepEqual(shownSince(points, secondsOf(at(0))), points);
});

test("what was bought of the other side is a sale at what is left of the dollar", () => {
  const fills = [
    { at: at(1), side: "no", price: "0.45", count: "3" },
    { at: at(2), side: "yes", price: "0.6", count: "1.5" },
  ];

  assert.deepEqual(fillPoints(fills, "yes"), [
    { time: secondsOf(at(1)), price: "0.55", deed: "sold", count: "3" },
    { time: secondsOf(at(2)), price: "0.6", deed: "bought", count: "1.5" },
  ]);
});

test("a still account has room around it, and prices stay between nothing and a dollar", () => {
  assert.deepEqual(roomFor([100, 100], 2), [99, 101]);
  assert.deepEqual(roomForPrices([0.01, 0.99]), [0, 1]);
  const [low, high] = roomForPrices([0.5, 0.5]);
  assert.ok(low > 0.47 && low < 0.49 && high > 0.51 && high < 0.53);
});

test("labels have the digits that their distance needs", () => {
  assert.deepEqual(dollarLabels([1000, 1000.5], 0.5), ["$1,000.00", "$1,000.50"]);
  assert.deepEqual(dollarLabels([1000, 2000], 1000), ["$1,000", "$2,000"]);
  assert.deepEqual(priceLabels([0.07, 0.145]), ["7¢", "14.5¢"]);
});

test("times have the seconds, the minutes or the day that tells them apart", () => {
  useLocale("en-GB");
  const midnight = new Date(2026, 10, 24).getTime() / 1000;

  assert.deepEqual(timeLabels([midnight + 61], 30), ["00:01:01"]);
  assert.deepEqual(timeLabels([midnight, midnight + 7200], 7200), ["24 Nov", "02:00"]);
  assert.deepEqual(timeLabels([midnight + 3600], 86_400), ["24 Nov"]);
  assert.deepEqual(timeLabels([midnight], 31 * 86_400), ["Nov 2026"]);
});

test("a range begins its length ago, all there is nowhere", () => {
  assert.equal(beginningOf("1D", 100_000_000), 13_600_000);
  assert.equal(beginningOf("All", 5), null);
});
