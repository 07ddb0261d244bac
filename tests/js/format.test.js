import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { useLocale } from "../../static/js/locale.js";
import {
  UNKNOWN,
  age,
  contracts,
  dateTime,
  dollars,
  figure,
  moment,
  percentage,
  profit,
  quote,
  quotient,
  signOf,
  unreadableCount,
} from "../../static/js/format.js";
import { markNote, unreadableNote } from "../../static/js/words/mark.js";

useLocale("en-US");

/** Built from local parts, so that the expected text holds in every time zone. */
const NOON = new Date(2026, 10, 24, 12, 3, 22);

describe("figures", () => {
  for (const [format, text, expected] of [
    [dollars, "1234.56", "$1,234.56"],
    [dollars, "-8.4", "−$8.40"],
    [dollars, "-0.00", "$0.00"],
    [dollars, "90071992547409931234.565", "$90,071,992,547,409,931,234.57"],
    [profit, "3.60", "▲ +$3.60"],
    [profit, "-3.60", "▼ −$3.60"],
    [profit, "0.000000", "$0.00"],
    [profit, "-0.000000", "$0.00"],
    [profit, "-0.003", "▼ −$0.003"],
    [profit, "0.00456", "▲ +$0.0046"],
    [profit, "0.000001", "▲ +$0.000001"],
    [profit, "-0.005", "▼ −$0.01"],
    [profit, "1.003", "▲ +$1.00"],
    [dollars, "0.004", "$0.004"],
    [dollars, "-0.004", "−$0.004"],
    [quote, "0.57", "57¢"],
    [quote, "0.0450", "4.5¢"],
    [quote, "0.0001", "0.01¢"],
    [quote, "1.0000", "100¢"],
    [quotient, "0.543333", "54.33¢"],
    [quotient, "-0.020000", "−2¢"],
    [quotient, "0.000012", "0.0012¢"],
    [percentage, "5.555556", "+5.6\u00a0%"],
    [percentage, "-100.000000", "−100.0\u00a0%"],
    [percentage, "0.000000", "0.0\u00a0%"],
    [percentage, "0.040000", "+0.04\u00a0%"],
    [percentage, "-0.049600", "−0.05\u00a0%"],
    [percentage, "-0.000300", "−0.0003\u00a0%"],
    [contracts, "1200.00", "1,200"],
    [contracts, "-120.50", "120.5"],
    [contracts, "0.01", "0.01"],
  ]) {
    test(`${text} as ${expected}`, () => {
      assert.equal(format(text), expected);
    });
  }

  test("an unknown figure is a dash, never a zero", () => {
    assert.equal(figure("total_value", null), UNKNOWN);
    assert.equal(figure("mark", null), UNKNOWN);
  });

  test("a count may come as a number", () => {
    assert.equal(figure("position_count", 1200), "1,200");
  });

  test("the sign is that of the text; only what is exactly zero has none", () => {
    assert.equal(signOf(profit("0.000")), "flat");
    assert.equal(signOf(profit("0.000001")), "gain");
    assert.equal(signOf(profit("-0.000001")), "loss");
    assert.equal(signOf(percentage("-0.000001")), "loss");
  });

  test("small money is no wider than other money, so that rows don't grow", () => {
    for (const units of [1, 12, 123, 1234, 4999]) {
      const text = profit(`-0.${String(units).padStart(6, "0")}`);
      assert.ok(text.length <= profit("-1234.56").length, text);
    }
  });
});

describe("privacy mode", () => {
  test("amounts of any size look the same", () => {
    assert.equal(figure("total_value", "7.10", true), "$•••");
    assert.equal(figure("total_value", "1234567.10", true), "$•••");
    assert.equal(figure("quantity", "-120.50", true), "•••");
    assert.equal(figure("mark", "0.045", true), "•••¢");
  });

  test("direction and percentage stay", () => {
    assert.equal(figure("unrealized_pnl", "-3.60", true), "▼ −$•••");
    assert.equal(figure("unrealized_pnl_percent", "5.6", true), "+5.6\u00a0%");
  });

  test("what is unknown stays unknown", () => {
    assert.equal(figure("cash", null, true), UNKNOWN);
  });
});

describe("times", () => {
  test("a moment of today needs no day", () => {
    assert.equal(moment(NOON.toISOString(), NOON.getTime() + 60_000), "12:03:22");
  });

  test("a moment of another day says which", () => {
    const tomorrow = NOON.getTime() + 86_400_000;

    assert.equal(moment(NOON.toISOString(), tomorrow), dateTime(NOON.toISOString()));
    assert.match(dateTime(NOON.toISOString()), /^Nov 24, 2026, 12:03:22 \S+$/);
  });

  for (const [seconds, expected] of [
    [0, "0\u00a0s"],
    [59, "59\u00a0s"],
    [60, "1\u00a0min"],
    [3 * 3600 + 100, "3\u00a0h"],
    [2 * 86400, "2\u00a0d"],
    [-5, "0\u00a0s"],
  ]) {
    test(`an age of ${seconds} seconds`, () => {
      assert.equal(age(NOON.toISOString(), NOON.getTime() + seconds * 1000), expected);
    });
  }
});

describe("the note beside a mark", () => {
  for (const [markPrice, mark, source, status, expected] of [
    ["bid", "0.57", "bid", "active", ""],
    ["bid", "0.02", "last", "active", "no bid · last"],
    ["bid", null, null, "active", "no price"],
    ["bid", "0.40", "last", "closed", "not trading · last"],
    ["bid", "0.40", "last", null, "no bid · last"],
    ["bid", "0.40", "last", "halved", "no bid · last"],
    ["bid", "1.00", "settlement", "determined", "result not final"],
    ["bid", "1.00", "settlement", "disputed", "result disputed"],
    ["bid", "1.00", "settlement", "amended", "result amended"],
    ["bid", "1.00", "settlement", "finalized", "result paid out"],
    ["bid", "1.00", "settlement", "unknown", "result told"],
    ["mid", "0.57", "mid", "active", ""],
    ["mid", "0.57", "bid", "active", "no ask · bid"],
    ["mid", "0.57", "last", "active", "no bid · last"],
    ["last", "0.57", "last", "active", ""],
    ["last", "0.57", "mid", "active", "never traded · mid"],
  ]) {
    test(`${source} where ${markPrice} is asked for, ${status}`, () => {
      const position = { mark, mark_source: source, market_status: status };

      assert.equal(markNote(position, markPrice), expected);
    });
  }
});

describe("what can't be read", () => {
  test("is said instead of a price, in the card's few letters", () => {
    const position = { mark: null, mark_source: null, market_status: null };

    assert.equal(markNote({ ...position, unreadable: "position" }, "bid"), "can't be read");
    assert.equal(markNote({ ...position, unreadable: "market" }, "bid"), "can't be read");
    assert.equal(markNote({ ...position, unreadable: null }, "bid"), "no price");
  });

  test("is explained in the detail, each row in its own words", () => {
    assert.equal(
      unreadableNote("position"),
      "The exchange's row for this position can't be read. Quantity and cost are the last known; " +
        "its value is unknown.",
    );
    assert.match(unreadableNote("market"), /^The exchange's row for this market can't be read\./);
  });

  test("is counted, and hidden in privacy mode as every count is", () => {
    assert.equal(unreadableCount(2), "2 can't be read");
    assert.equal(unreadableCount(2, true), "••• can't be read");
  });

  test("is nothing where there is none, or an older server says nothing of it", () => {
    assert.equal(unreadableNote(null), "");
    assert.equal(unreadableNote(undefined), "");
    for (const none of [0, null, undefined]) assert.equal(unreadableCount(none), "");
  });
});

test("a time that is unknown is a dash", () => {
  assert.equal(figure("close_time", null), UNKNOWN);
});
