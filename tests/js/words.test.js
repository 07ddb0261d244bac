import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { maskFigures } from "../../static/js/figures.js";
import { useLocale } from "../../static/js/locale.js";
import { closesIn, closingTimes, expectedAt, isClosingSoon } from "../../static/js/words/closing_time.js";
import { outcomeText } from "../../static/js/words/outcome.js";
import { resultOf, statusSentence, statusWord } from "../../static/js/words/status.js";

useLocale("en-US");
afterEach(() => maskFigures(false));

const NOW = Date.parse("2026-11-24T12:00:00Z");

/** @param {object} changes */
const held = (changes = {}) => ({
  ticker: "KXGAME-ATL",
  title: "Who wins?",
  outcome: "Atlanta",
  yes_outcome: "Atlanta",
  side: "yes",
  quantity: "120",
  average_price: "0.54",
  mark: "0.57",
  mark_source: "bid",
  market_value: "68.4",
  unrealized_pnl: "3.6",
  unrealized_pnl_percent: "5.555556",
  market_status: "active",
  expected_expiration_time: "2026-11-24T15:12:00Z",
  close_time: "2026-12-08T15:00:00Z",
  ...changes,
});

const decided = (status, mark) => held({ market_status: status, mark, mark_source: "settlement" });

describe("how a market stands", () => {
  for (const [position, word, sentence] of [
    [held({ market_status: "initialized" }), "Not open yet", /has not begun/],
    [held(), "Trading", /is open/],
    [held({ market_status: "inactive" }), "Paused", /has paused/],
    [held({ market_status: "closed" }), "Awaiting result", /has not told the result/],
    [decided("determined", "1"), "Won · not final", /You have won.*can still be disputed/],
    [decided("disputed", "1"), "Won · disputed", /You have won.*is disputed/],
    [decided("amended", "1.0000"), "Won · amended", /You have won.*takes the place/],
    [decided("finalized", "1"), "Won · paid out", /You have won.*has paid it out/],
    [decided("determined", "0"), "Lost · not final", /You have lost.*can still be disputed/],
    [decided("finalized", "0.00"), "Lost · final", /You have lost.*final/],
    [decided("determined", "0.35"), "35¢ each · not final", /each of your contracts pays 35¢/],
    [decided("finalized", "0.35"), "35¢ each · paid out", /each of your contracts pays 35¢/],
    [held({ market_status: "determined" }), "Decided · not final", /not told yet.*be disputed/],
    [held({ market_status: "unknown" }), "Status unknown", /has not told/],
    [held({ market_status: null }), "Status unknown", /has not told/],
    [held({ market_status: "constructor" }), "Status unknown", /has not told/],
  ]) {
    test(`${position.market_status} at ${position.mark} from ${position.mark_source}: ${word}`, () => {
      assert.equal(statusWord(position), word);
      assert.match(statusSentence(position), sentence);
    });
  }

  test("the four things after the end each have a sentence of their own", () => {
    const stages = ["determined", "disputed", "amended", "finalized"];
    const sentences = stages.map((stage) => statusSentence(decided(stage, "1")));

    assert.equal(new Set(sentences).size, 4);
  });

  test("a result between is as private as a price", () => {
    maskFigures(true);

    const position = decided("determined", "0.35");

    assert.equal(statusWord(position), "•••¢ each · not final");
    assert.match(statusSentence(position), /pays •••¢/);
  });

  test("a price of a dollar before the end is no result", () => {
    assert.equal(resultOf(held({ mark: "1", mark_source: "last" })), null);
  });
});

describe("what is held", () => {
  for (const [about, changes, pill, whole, sentence] of [
    ["YES", {}, "YES", "YES · Atlanta", /wins with “Atlanta”/],
    ["NO that is called as YES is", { side: "no" }, "NO", "NO · Atlanta", /wins without “Atlanta”\.$/],
    [
      "NO with a name of its own",
      { side: "no", outcome: "2.6% or below", yes_outcome: "Above 2.6%" },
      "NO",
      "NO · Above 2.6%",
      /wins without “Above 2.6%”, that is with “2.6% or below”/,
    ],
    [
      "NO of a server that does not say what YES is",
      { side: "no", yes_outcome: undefined },
      "NO",
      "NO · Atlanta",
      /wins without “Atlanta”/,
    ],
    ["NO of what has no name", { side: "no", outcome: null, yes_outcome: null }, "NO", "NO", /hold NO/],
    ["YES of what has no name", { outcome: null, yes_outcome: null }, "YES", "YES", /^You hold YES\.$/],
  ]) {
    test(about, () => {
      const text = outcomeText(held(changes));

      assert.equal(text.pill, pill);
      assert.equal(text.whole, whole);
      assert.match(text.sentence, sentence);
    });
  }

  test("titles in other scripts and emoji stay as they are", () => {
    assert.equal(outcomeText(held({ yes_outcome: "🏈 أتلانتا" })).whole, "YES · 🏈 أتلانتا");
  });
});

describe("when the outcome is expected", () => {
  for (const [left, expected] of [
    ["2026-11-24T15:12:59Z", "in 3\u00a0h 12\u00a0min"],
    ["2026-11-25T11:59:59Z", "in 23\u00a0h 59\u00a0min"],
    ["2026-11-24T12:12:00Z", "in 12\u00a0min"],
    ["2026-11-24T12:00:40Z", "in 40\u00a0s"],
    ["2026-11-24T12:00:00Z", "overdue"],
    ["2026-11-23T12:00:00Z", "overdue"],
  ]) {
    test(`${left}: ${expected}`, () => {
      assert.equal(closesIn(held({ expected_expiration_time: left }), NOW), expected);
    });
  }

  test("a day away and more is told as a date", () => {
    const noon = new Date(2026, 11, 8, 12).toISOString();

    assert.equal(closesIn(held({ expected_expiration_time: noon }), NOW), "Dec 8, 2026");
  });

  test("the formal close counts only where nothing else is said", () => {
    assert.equal(expectedAt(held()), "2026-11-24T15:12:00Z");
    assert.equal(expectedAt(held({ expected_expiration_time: null })), "2026-12-08T15:00:00Z");
    assert.equal(closesIn(held({ expected_expiration_time: null, close_time: null }), NOW), "—");
  });

  test("what is decided is not late", () => {
    const past = { expected_expiration_time: "2026-11-23T12:00:00Z" };

    assert.equal(closesIn({ ...decided("determined", "1"), ...past }, NOW), "decided");
  });

  test("soon is less than a day away, and not what is over", () => {
    assert.equal(isClosingSoon(held(), NOW), true);
    assert.equal(isClosingSoon(held({ expected_expiration_time: "2026-11-25T12:00:00Z" }), NOW), false);
    assert.equal(isClosingSoon(held({ expected_expiration_time: "2026-11-24T11:00:00Z" }), NOW), false);
    assert.equal(isClosingSoon(decided("determined", "1"), NOW), false);
  });

  test("both times are told in full", () => {
    assert.match(
      closingTimes(held()),
      /^The outcome is expected Nov 24, 2026.*\. Trading ends Dec 8, 2026.* at the latest\.$/,
    );
    assert.match(closingTimes(held({ expected_expiration_time: null })), /does not say when it expects/);
  });
});
