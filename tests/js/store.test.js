import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Store } from "../../static/js/store.js";

const CONNECTION = { type: "connection_status", status: "live" };

const position = (ticker, version, mark = "0.50") => ({ type: "position", ticker, version, mark });

const portfolio = (version) => ({ type: "portfolio", version });

const closed = (ticker, version) => ({
  type: "position_closed",
  ticker,
  version,
  reason: "settled",
  realized_pnl: "1.00",
});

const snapshot = (version, positions) => ({
  type: "snapshot",
  version,
  positions,
  portfolio: portfolio(version),
  connection: CONNECTION,
  server_time: "2026-11-24T12:00:00Z",
});

/** Frames are drawn when a test says so. */
let frames;
let drawn;
let store;

function drawFrame() {
  for (const draw of frames.splice(0)) draw();
}

beforeEach(() => {
  frames = [];
  drawn = [];
  store = new Store((draw) => frames.push(draw));
  store.subscribe((changes) => drawn.push(changes));
});

describe("a snapshot", () => {
  test("replaces everything, even with a lower version", () => {
    store.apply(snapshot(9, [position("OLD", 9), position("BOTH", 9, "0.90")]));

    store.apply(snapshot(3, [position("BOTH", 3, "0.30")]));

    assert.deepEqual([...store.positions.keys()], ["BOTH"]);
    assert.equal(store.positions.get("BOTH").mark, "0.30");
    assert.equal(store.portfolio.version, 3);
  });

  test("lets later events count from its own versions", () => {
    store.apply(snapshot(9, [position("A", 9)]));
    store.apply(snapshot(3, [position("A", 3)]));

    store.apply(position("A", 4, "0.44"));

    assert.equal(store.positions.get("A").mark, "0.44");
  });

  test("tells how far the server's clock is ahead", () => {
    store.apply(snapshot(1, []), Date.parse("2026-11-24T11:59:58Z"));

    assert.equal(store.clockOffset, 2000);
  });
});

describe("a position", () => {
  test("applied twice changes nothing more", () => {
    store.apply(snapshot(1, []));

    store.apply(position("A", 2));
    store.apply(position("A", 2));

    assert.equal(store.positions.size, 1);
  });

  test("of an older version is ignored", () => {
    store.apply(snapshot(5, [position("A", 5, "0.55")]));

    store.apply(position("A", 4, "0.44"));

    assert.equal(store.positions.get("A").mark, "0.55");
  });
});

describe("a closed position", () => {
  test("goes, and is told of", () => {
    store.apply(snapshot(1, [position("A", 1), position("B", 1)]));
    drawFrame();

    store.apply(closed("A", 2));
    drawFrame();

    assert.deepEqual([...store.positions.keys()], ["B"]);
    assert.deepEqual(drawn[1].closed, [closed("A", 2)]);
    assert.equal(drawn[1].membership, true);
  });

  test("is not brought back by a late event", () => {
    store.apply(snapshot(1, [position("A", 1)]));

    store.apply(closed("A", 3));
    store.apply(position("A", 2));

    assert.equal(store.positions.has("A"), false);
  });

  test("can be opened again", () => {
    store.apply(snapshot(1, [position("A", 1)]));

    store.apply(closed("A", 2));
    store.apply(position("A", 3));

    assert.equal(store.positions.has("A"), true);
  });

  test("that we never had is not told of", () => {
    store.apply(snapshot(1, []));

    store.apply(closed("A", 2));
    drawFrame();

    assert.deepEqual(drawn[0].closed, []);
  });
});

describe("drawing", () => {
  test("happens once a frame, however many events came, and names only what changed", () => {
    store.apply(snapshot(1, [position("A", 1), position("B", 1), position("C", 1)]));
    drawFrame();

    store.apply(position("A", 2));
    store.apply(position("B", 3));
    store.apply(position("A", 4));
    assert.equal(frames.length, 1);
    drawFrame();

    assert.equal(drawn.length, 2);
    assert.deepEqual([...drawn[1].tickers], ["A", "B"]);
    assert.equal(drawn[1].membership, false);
    assert.equal(drawn[1].portfolio, false);
  });

  test("of everything can be asked for", () => {
    store.apply(snapshot(1, [position("A", 1)]));
    drawFrame();

    store.touch();
    drawFrame();

    assert.deepEqual([...drawn[1].tickers], ["A"]);
    assert.equal(drawn[1].portfolio, true);
  });

  test("ends with the subscription", () => {
    const seen = [];
    const end = store.subscribe((changes) => seen.push(changes));

    end();
    store.apply(position("A", 1));
    drawFrame();

    assert.deepEqual(seen, []);
  });
});

test("an older portfolio is ignored", () => {
  store.apply(portfolio(5));

  store.apply(portfolio(4));

  assert.equal(store.portfolio.version, 5);
});

test("an event of a kind we don't know is ignored", () => {
  store.apply({ type: "equity_point", version: 7 });

  assert.equal(frames.length, 0);
});
