import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ListChoices } from "../../static/js/list/choices.js";
import { isListKept, isSameOrder, itemsOf, openOf, withSumsOf } from "../../static/js/list/items.js";
import { rowsInSight, scrollTo } from "../../static/js/list/window.js";

const position = (ticker, value, fields = {}) => ({
  account_id: 1,
  ticker,
  event_ticker: ticker.split("-")[0],
  title: `Title of ${ticker}`,
  outcome: null,
  side: "yes",
  market_value: value,
  unrealized_pnl: "1.00",
  day_pnl: null,
  ...fields,
});

const chosen = (preferences = {}, filter = "") => {
  const choices = new ListChoices();
  choices.take({ ...choices.kept, ...preferences });
  choices.filter = filter;
  return choices;
};

const listed = (positions, choices = chosen(), closed = []) =>
  itemsOf(positions, closed, choices.for(() => ""));

const byKeyOf = (positions) => new Map(positions.map((each) => [`1/${each.ticker}`, each]));

const keys = (items) => items.map(({ key }) => key);

describe("the list", () => {
  const [a, b, c] = [position("X-A", "3"), position("Y-B", "2"), position("X-C", "1")];

  test("is in the order that is chosen", () => {
    assert.deepEqual(keys(listed([c, a, b])), ["1/X-A", "1/Y-B", "1/X-C"]);
  });

  test("keeps what is pinned at its top", () => {
    assert.deepEqual(keys(listed([a, b, c], chosen({ pinned: ["1/X-C"] }))), [
      "1/X-C",
      "1/X-A",
      "1/Y-B",
    ]);
  });

  test("lets go of a pin that is gone, and says whether there was one", () => {
    const choices = chosen({ pinned: ["1/X-C", "1/Y-B"] });

    assert.equal(choices.unpin(["1/X-A"]), false);
    assert.equal(choices.unpin(["1/X-C"]), true);
    assert.deepEqual(choices.kept.pinned, ["1/Y-B"]);
  });

  test("under the heads of events, an event stands where its first position would", () => {
    const items = listed([a, b, c], chosen({ isGrouped: true }));

    assert.deepEqual(keys(items), ["event/1/X", "1/X-A", "1/X-C", "event/1/Y", "1/Y-B"]);
    assert.equal(items[0].market_value, "4");
    assert.equal(items[0].day_pnl, null, "unknown for one is unknown for all");
  });

  test("each account has its own head of an event, as their dollars are not one sum", () => {
    const demo = position("X-A", "2.5", { account_id: 2 });
    const items = listed([a, demo, c], chosen({ isGrouped: true }));

    assert.deepEqual(keys(items), ["event/1/X", "1/X-A", "1/X-C", "event/2/X", "2/X-A"]);
    assert.deepEqual([items[0].market_value, items[3].market_value], ["4", "2.5"]);
  });

  test("of an event that is folded there is the head alone", () => {
    const choices = chosen({ isGrouped: true });
    choices.toggleFold("event/1/X");

    assert.deepEqual(keys(listed([a, b, c], choices)), ["event/1/X", "event/1/Y", "1/Y-B"]);
    choices.toggleFold("event/1/X");
    assert.equal(listed([a, b, c], choices).length, 5);
  });

  test("on paper has what is open of a folded event, as it is now", () => {
    const choices = chosen({ isGrouped: true });
    choices.toggleFold("X");
    const now = position("X-A", "4");
    const newest = new Map([
      ["1/X-A", now],
      ["1/Y-B", b],
    ]);
    const items = listed([a, b], choices, [{ position: c, closed: { reason: "settled" } }]);

    assert.deepEqual(
      openOf(items, (key) => newest.get(key)),
      [now, b],
    );
  });

  test("leaves out what is worth less than a dollar, but never what has no price", () => {
    const [small, unpriced] = [position("S", "0.99"), position("U", null)];

    assert.deepEqual(keys(listed([small, unpriced, c], chosen({ hidesSmall: true }))), [
      "1/X-C",
      "1/U",
    ]);
  });

  test("what is typed finds small ones too, by every word of it, without case and accents", () => {
    const goal = position("KXGOAL-26", "0.10", { title: "Mbappé scores?" });

    assert.deepEqual(keys(listed([a, goal], chosen({ hidesSmall: true }, "MBAPPE score"))), [
      "1/KXGOAL-26",
    ]);
    assert.deepEqual(listed([a, goal], chosen({}, "mbappe loses")), []);
  });

  test("what is no longer open stays in its place, and in no sum", () => {
    const closed = { ticker: "X-A", reason: "settled" };
    const items = listed([b, c], chosen({ isGrouped: true }), [{ position: a, closed }]);

    assert.deepEqual(keys(items), ["event/1/X", "1/X-A", "1/X-C", "event/1/Y", "1/Y-B"]);
    assert.equal(items[0].market_value, "1");
    assert.deepEqual(items[0].open, [c]);
    assert.deepEqual(items[1].closed, closed);
  });

  test("its order stands until figures change it", () => {
    const choices = chosen();
    const items = listed([a, b, c], choices);
    const newest = (...positions) => {
      return isListKept(items, byKeyOf(positions), choices.for(() => ""));
    };

    assert.equal(newest(a, position("Y-B", "2.5"), c), true);
    assert.equal(newest(a, position("Y-B", "0.5"), c), false);
  });

  test("no longer stands once what was too small has grown, or the other way", () => {
    const choices = chosen({ hidesSmall: true, order: "name" });
    const items = listed([a, b, position("S", "0.99")], choices);
    const isKept = (...positions) => isListKept(items, byKeyOf(positions), choices.for(() => ""));

    assert.equal(isKept(a, b, position("S", "0.98")), true);
    assert.equal(isKept(a, b, position("S", "500")), false);
    assert.equal(isKept(a, position("Y-B", "0.01"), position("S", "0.99")), false);
  });

  test("no longer stands once a title has come in which the typed words are", () => {
    const choices = chosen({}, "mbappe");
    const untold = position("KXGOAL-26", "2");
    const told = { ...untold, title: "Mbappé scores?" };
    const items = listed([a, untold], choices);

    assert.equal(isListKept(items, byKeyOf([a, untold]), choices.for(() => "")), true);
    assert.equal(isListKept(items, byKeyOf([a, told]), choices.for(() => "")), false);
  });

  test("the head of an event sums what is at the top of the list or left out of it, too", () => {
    const [small, pinned] = [position("X-S", "0.25"), position("X-P", "4")];
    const choices = chosen({ isGrouped: true, hidesSmall: true, pinned: ["1/X-P"] });
    const items = listed([a, small, pinned], choices);

    assert.deepEqual(keys(items), ["1/X-P", "event/1/X", "1/X-A"]);
    assert.equal(items[1].market_value, "7.25");
    assert.equal(items[1].open.length, 3);
    assert.deepEqual(items[1].positions, [a]);
  });

  test("while its order is held, the heads of events have the newest sums where they stand", () => {
    const choices = chosen({ isGrouped: true });
    const items = listed([a, b, c], choices);
    const newer = listed([a, position("Y-B", "9"), position("X-C", "2")], choices);

    assert.equal(isSameOrder(items, newer), false);
    assert.equal(isSameOrder(items, listed([a, b, position("X-C", "2")], choices)), true);
    const held = withSumsOf(items, newer);
    assert.deepEqual(keys(held), keys(items));
    assert.deepEqual([held[0].market_value, held[3].market_value], ["5", "9"]);
  });

  test("by the same head again it is turned round", () => {
    const choices = chosen();
    choices.sortBy("pnl");
    assert.deepEqual([choices.order, choices.kept.isReversed], ["pnl", false]);
    choices.sortBy("pnl");
    assert.deepEqual([choices.order, choices.kept.isReversed], ["pnl", true]);
  });

  test("of an order that this version does not know, the usual one is taken", () => {
    assert.equal(chosen({ order: "luck" }).order, "value");
  });
});

describe("the window", () => {
  test("of a short list is all of it", () => {
    const view = { count: 50, rowHeight: 96, top: 0, height: 300 };
    assert.deepEqual(rowsInSight(view), { first: 0, end: 50 });
  });

  test("of a long list is what is in sight and a little more, wherever it is scrolled", () => {
    const view = { count: 2000, rowHeight: 48, height: 600 };
    for (const top of [0, 47, 48, 1000, 50_000, 2000 * 48 - 600, 2000 * 48]) {
      const { first, end } = rowsInSight({ ...view, top });
      assert.ok(first >= 0 && end <= 2000 && end - first <= 80);
      assert.ok(first * 48 <= Math.min(top, 2000 * 48 - 600), `top of ${top}`);
      assert.ok(end * 48 >= Math.min(top + 600, 2000 * 48), `foot of ${top}`);
    }
  });

  test("is never more than eighty rows, however high the screen", () => {
    const { first, end } = rowsInSight({ count: 2000, rowHeight: 48, top: 0, height: 9000 });
    assert.equal(end - first, 80);
  });

  test("scrolls as little as it must", () => {
    const view = { rowHeight: 50, top: 100, height: 200 };
    assert.equal(scrollTo(3, view), null);
    assert.equal(scrollTo(1, view), 50);
    assert.equal(scrollTo(6, view), 150);
  });
});
