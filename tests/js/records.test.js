import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { recordsOf } from "../../static/js/detail/records.js";

const position = (ticker, fields = {}) => ({
  account_id: 1,
  ticker,
  event_ticker: "FED",
  quantity: "10",
  exposure: "5",
  realized_pnl: "0",
  fees_paid: "0.10",
  market_status: "active",
  settlement_value: null,
  mark: "0.50",
  ...fields,
});

describe("the records of a position and its event", () => {
  const [cut, hold] = [position("FED-CUT"), position("FED-HOLD")];
  const before = recordsOf(cut, [cut, hold]);

  test("are others once another market of the event is traded, bought anew or gone", () => {
    assert.notEqual(recordsOf(cut, [cut, { ...hold, quantity: "12" }]), before);
    assert.notEqual(recordsOf(cut, [cut, hold, position("FED-HIKE")]), before);
    assert.notEqual(recordsOf(cut, [cut]), before);
    assert.notEqual(recordsOf({ ...cut, fees_paid: "0.20" }, [hold]), before);
  });

  test("are others once a market of the event is decided, which rules outcomes out", () => {
    const decided = { market_status: "determined", settlement_value: "0" };

    assert.notEqual(recordsOf(cut, [cut, { ...hold, ...decided }]), before);
    assert.notEqual(recordsOf({ ...cut, ...decided }, [hold]), before);
  });

  test("are the same whatever the price, the order, another event or another account does", () => {
    const others = [
      position("GOLD-1", { event_ticker: "GOLD" }),
      position("FED-HOLD", { account_id: 2, quantity: "99" }),
    ];
    assert.equal(recordsOf({ ...cut, mark: "0.60" }, [{ ...hold, mark: "0.40" }, cut, ...others]), before);
  });
});
