import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { maskFigures } from "../../static/js/figures.js";
import { useLocale } from "../../static/js/locale.js";
import { closingText, endingOf } from "../../static/js/words/closing.js";

useLocale("en-US");
afterEach(() => maskFigures(false));

const position = {
  ticker: "KXGAME-ATL",
  title: "Who wins?",
  outcome: "Atlanta",
  yes_outcome: "Atlanta",
  side: "no",
  quantity: "-10",
  exposure: "4.5",
  realized_pnl: "0.2",
  payout: "10",
  mark: "0.62",
  mark_source: "bid",
};

const closed = (reason, realized_pnl) => ({ ticker: "KXGAME-ATL", reason, realized_pnl });

describe("how a position ended", () => {
  for (const [about, end, changes, kind, word, payout] of [
    ["sold", closed("closed", "3.6"), {}, "sold", "Sold", null],
    ["gone without a word", closed("closed", null), {}, "gone", "No longer held", null],
    // 0.2 realized before + 10 paid - 4.5 that it cost
    ["won", closed("settled", "5.7"), {}, "won", "Won", "10"],
    ["lost", closed("settled", "-4.3"), {}, "lost", "Lost", "0"],
    // 0.2 + 10 * 0.35 - 4.5
    ["between", closed("settled", "-0.8"), {}, "scalar", "Settled", "3.5"],
    [
      "between, at a price that was told",
      closed("settled", "-0.8"),
      { mark: "0.35", mark_source: "settlement" },
      "scalar",
      "Settled at 35¢",
      "3.5",
    ],
    // More than all could pay: the position as we last saw it isn't the one that was settled.
    ["of a size that we did not see", closed("settled", "50"), {}, "settled", "Settled", null],
    ["less than nothing", closed("settled", "-50"), {}, "settled", "Settled", null],
    ["settled for an unknown sum", closed("settled", null), {}, "settled", "Settled", null],
  ]) {
    test(about, () => {
      assert.deepEqual(endingOf(end, { ...position, ...changes }), { kind, word, payout });
    });
  }

  test("without the position it is settled, and nobody guesses how", () => {
    assert.equal(endingOf(closed("settled", "5.7")).kind, "settled");
  });
});

describe("an ending in words", () => {
  for (const [end, expected] of [
    [closed("closed", "-3.6"), "Sold: NO · Atlanta, Who wins? Realized ▼ −$3.60 before fees."],
    [
      closed("settled", "5.7"),
      "Won: NO · Atlanta, Who wins? It paid $10.00. Realized ▲ +$5.70 before fees.",
    ],
    [
      closed("settled", "-4.3"),
      "Lost: NO · Atlanta, Who wins? It paid nothing. Realized ▼ −$4.30 before fees.",
    ],
    [
      closed("closed", null),
      "No longer held: NO · Atlanta, Who wins? What it realized is not known yet.",
    ],
  ]) {
    test(expected, () => {
      assert.equal(closingText(end, position), expected);
    });
  }

  test("of a position that was never seen its name is told, or its ticker", () => {
    assert.equal(
      closingText(closed("closed", "1"), undefined, "Rain on Friday"),
      "Sold: Rain on Friday. Realized ▲ +$1.00 before fees.",
    );
    assert.match(closingText(closed("closed", "1")), /^Sold: KXGAME-ATL\./);
  });

  test("tells no amount in privacy mode", () => {
    maskFigures(true);

    assert.equal(
      closingText(closed("settled", "5.7"), position),
      "Won: NO · Atlanta, Who wins? It paid $•••. Realized ▲ +$••• before fees.",
    );
    const at = { ...position, mark: "0.35", mark_source: "settlement" };
    assert.equal(endingOf(closed("settled", "-0.8"), at).word, "Settled at •••¢");
  });
});
