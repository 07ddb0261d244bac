import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Store } from "../../static/js/store.js";

const CONNECTION = { type: "connection_status", status: "live" };

/** The account of most tests. */
const ALICE = 1;

const position = (ticker, version, mark = "0.50", account_id = ALICE) => ({
  type: "position",
  account_id,
  ticker,
  version,
  mark,
});

const portfolio = (version, account_id = ALICE) => ({ type: "portfolio", account_id, version });

const closed = (ticker, version, account_id = ALICE) => ({
  type: "position_closed",
  account_id,
  ticker,
  version,
  reason: "settled",
  realized_pnl: "1.00",
});

const snapshot = (version, positions, account_id = ALICE) => ({
  type: "snapshot",
  account_id,
  version,
  positions,
  portfolio: portfolio(version, account_id),
  connection: { ...CONNECTION, account_id },
  server_time: "2026-11-24T12:00:00Z",
});

/** Frames are drawn when a test says so. */
let frames;
let drawn;
let store;

function drawFrame() {
  for (const draw of frames.splice(0)) draw();
}

const held = (ticker, account_id = ALICE) => store.positions.get(`${account_id}/${ticker}`);

const tickers = () => [...store.positions.values()].map(({ ticker }) => ticker);

beforeEach(() => {
  frames = [];
  drawn = [];
  store = new Store(
    (draw) => frames.push(draw),
    (draw) => frames.push(draw),
  );
  store.subscribe((changes) => drawn.push(changes));
});

describe("a snapshot", () => {
  test("replaces everything, even with a lower version", () => {
    store.apply(snapshot(9, [position("OLD", 9), position("BOTH", 9, "0.90")]));

    store.apply(snapshot(3, [position("BOTH", 3, "0.30")]));

    assert.deepEqual(tickers(), ["BOTH"]);
    assert.equal(held("BOTH").mark, "0.30");
    assert.equal(store.accounts.get(ALICE).portfolio.version, 3);
  });

  test("lets later events count from its own versions", () => {
    store.apply(snapshot(9, [position("A", 9)]));
    store.apply(snapshot(3, [position("A", 3)]));

    store.apply(position("A", 4, "0.44"));

    assert.equal(held("A").mark, "0.44");
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

    assert.equal(held("A").mark, "0.55");
  });
});

describe("a closed position", () => {
  test("goes, and is told of", () => {
    store.apply(snapshot(1, [position("A", 1), position("B", 1)]));
    drawFrame();

    store.apply(closed("A", 2));
    drawFrame();

    assert.deepEqual(tickers(), ["B"]);
    assert.deepEqual(drawn[1].ended, [{ position: position("A", 1), closed: closed("A", 2) }]);
    assert.deepEqual(store.ends, drawn[1].ended);
    assert.equal(drawn[1].membership, true);
  });

  test("is not brought back by a late event", () => {
    store.apply(snapshot(1, [position("A", 1)]));

    store.apply(closed("A", 3));
    store.apply(position("A", 2));

    assert.equal(held("A"), undefined);
  });

  test("can be opened again", () => {
    store.apply(snapshot(1, [position("A", 1)]));

    store.apply(closed("A", 2));
    store.apply(position("A", 3));

    assert.equal(held("A") !== undefined, true);
  });

  test("that we never had is not told of", () => {
    store.apply(snapshot(1, []));

    store.apply(closed("A", 2));
    drawFrame();

    assert.deepEqual(drawn[0].ended, []);
  });
});

describe("what is no longer open", () => {
  test("stays until it is dismissed", () => {
    store.apply(snapshot(1, [position("A", 1), position("B", 1)]));
    store.apply(closed("A", 2));
    store.apply(closed("B", 2));

    store.dismiss([`${ALICE}/A`]);

    assert.deepEqual(store.ends.map(({ closed: { ticker } }) => ticker), ["B"]);
  });

  test("goes when it is opened again", () => {
    store.apply(snapshot(1, [position("A", 1)]));
    store.apply(closed("A", 2));
    store.apply(position("A", 3));

    assert.deepEqual(store.ends, []);
  });

  test("is told even if it happened while the stream was away, without saying how", () => {
    store.apply(snapshot(1, [position("A", 1), position("B", 1)]));
    store.apply(snapshot(9, [position("B", 9)]));

    assert.deepEqual(
      store.ends.map(({ closed: { ticker, reason, realized_pnl } }) => [ticker, reason, realized_pnl]),
      [["A", null, null]],
    );
  });

  test("is found by its market, the last to close first", () => {
    store.apply(snapshot(1, [position("A", 1), position("B", 1)]));
    store.apply(closed("A", 2));

    assert.equal(store.findEnd("A", null)?.closed.ticker, "A");
    assert.equal(store.findEnd("A", ALICE)?.closed.ticker, "A");
    assert.equal(store.findEnd("A", ALICE + 1), undefined);
    assert.equal(store.findEnd("B", null), undefined);
  });

  test("goes with its account", () => {
    store.apply(snapshot(1, [position("A", 1)]));
    store.apply(closed("A", 2));
    store.drop([ALICE]);

    assert.deepEqual(store.ends, []);
  });
});

describe("an account that is unknown for the moment", () => {
  const unknown = (version, positions = []) => ({
    ...snapshot(version, positions),
    portfolio: { ...portfolio(version), reconciled_at: null },
  });
  const known = (version) => ({ ...portfolio(version), reconciled_at: "2026-11-24T12:00:00Z" });
  const ended = () => store.ends.map(({ closed: { ticker, reason } }) => [ticker, reason]);

  beforeEach(() => {
    store.apply(snapshot(5, [position("A", 5), position("B", 5)]));
    store.apply(unknown(0));
    drawFrame();
    drawn.length = 0;
  });

  test("shows no position as held, and none as gone", () => {
    assert.deepEqual(tickers(), []);
    assert.deepEqual(ended(), []);
  });

  test("ends what is gone with the next snapshot that knows", () => {
    store.apply(unknown(0));
    store.apply({ ...snapshot(7, [position("B", 7)]), portfolio: known(7) });

    assert.deepEqual(tickers(), ["B"]);
    assert.deepEqual(ended(), [["A", null]]);
  });

  test("ends it when the exchange has been asked, without a snapshot too", () => {
    store.apply(position("B", 1));
    store.apply({ ...portfolio(1), reconciled_at: null });
    assert.deepEqual(ended(), []);

    store.apply(known(2));
    drawFrame();

    assert.deepEqual(tickers(), ["B"]);
    assert.deepEqual(ended(), [["A", null]]);
    assert.equal(drawn[0].membership, true);
    store.dismiss([`${ALICE}/A`]);
    store.apply(known(3));
    assert.deepEqual(ended(), []);
  });

  test("keeps how one closed that was told of again", () => {
    store.apply(unknown(1, [position("A", 1)]));
    store.apply(position("B", 2));
    store.apply(closed("A", 3));
    store.apply(closed("B", 3));
    store.apply(known(4));

    assert.deepEqual(ended(), [["A", "settled"], ["B", "settled"]]);
  });

  test("tells how one closed that was told of no more", () => {
    store.apply(closed("A", 6));
    store.apply(known(7));

    assert.deepEqual(ended(), [["A", "settled"], ["B", null]]);
  });

  test("is forgotten with all that it held", () => {
    store.drop([ALICE]);
    store.apply({ ...snapshot(1, []), portfolio: known(1) });

    assert.deepEqual(ended(), []);
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
    assert.deepEqual([...drawn[1].keys], ["1/A", "1/B"]);
    assert.equal(drawn[1].membership, false);
    assert.equal(drawn[1].portfolio, false);
  });

  test("is told what came in an account that nobody looks at", () => {
    store.apply(snapshot(1, [position("A", 1)]));
    store.view = 1;
    drawFrame();
    const came = () => drawn.at(-1)?.elsewhere;

    store.apply(snapshot(1, [position("B", 1, "0.50", 2)], 2));
    drawFrame();
    assert.equal(came(), true);

    store.apply(position("B", 2, "0.50", 2));
    assert.equal(frames.length, 0);

    store.apply(position("C", 3, "0.50", 2));
    drawFrame();
    assert.equal(came(), true);

    store.apply(position("A", 2));
    drawFrame();
    assert.equal(came(), false);
  });

  test("of everything can be asked for", () => {
    store.apply(snapshot(1, [position("A", 1)]));
    drawFrame();

    store.touch();
    drawFrame();

    assert.deepEqual([...drawn[1].keys], ["1/A"]);
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
  store.apply(snapshot(5, []));

  store.apply(portfolio(4));

  assert.equal(store.accounts.get(ALICE).portfolio.version, 5);
});

test("of several portfolios in one frame the newest counts", () => {
  store.apply(snapshot(1, []));
  drawFrame();

  store.apply({ ...portfolio(2), cash: "2" });
  store.apply({ ...portfolio(3), cash: "3" });
  drawFrame();

  assert.equal(store.accounts.get(ALICE).portfolio.cash, "3");
  assert.equal(drawn[1].portfolio, true);
});

test("an event of a kind we don't know is ignored", () => {
  store.apply({ type: "equity_point", version: 7 });

  assert.equal(frames.length, 0);
});

describe("several accounts", () => {
  const BOB = 2;

  beforeEach(() => {
    store.apply(snapshot(9, [position("SAME", 9, "0.10"), position("A", 9)]));
    store.apply(snapshot(3, [position("SAME", 3, "0.20", BOB)], BOB));
    drawFrame();
    drawn.length = 0;
  });

  test("may hold the same market", () => {
    assert.deepEqual([held("SAME").mark, held("SAME", BOB).mark], ["0.10", "0.20"]);
    assert.equal(store.positions.size, 3);
  });

  test("have versions of their own", () => {
    store.apply(position("SAME", 4, "0.24", BOB));
    store.apply(position("SAME", 8, "0.08"));
    store.apply({ ...portfolio(4, BOB), cash: "4" });

    assert.deepEqual([held("SAME").mark, held("SAME", BOB).mark], ["0.10", "0.24"]);
    assert.equal(store.accounts.get(BOB).portfolio.cash, "4");
  });

  test("keep what they have when another gets a snapshot", () => {
    store.apply(snapshot(1, [position("NEW", 1, "0.30", BOB)], BOB));

    assert.deepEqual(tickers().sort(), ["A", "NEW", "SAME"]);
    assert.equal(held("SAME").mark, "0.10");
  });

  test("close what is theirs", () => {
    store.apply(closed("SAME", 10));

    assert.equal(held("SAME"), undefined);
    assert.equal(held("SAME", BOB).mark, "0.20");
  });

  test("are looked through in order for a market, open or closed", () => {
    store.apply(closed("SAME", 10));

    assert.equal(store.lookUp("SAME", [ALICE, null]).end.position.account_id, ALICE);
    assert.equal(store.lookUp("SAME", [BOB]).position.account_id, BOB);
    assert.equal(store.lookUp("A", [BOB, null]).position.account_id, ALICE);
    assert.deepEqual(store.lookUp("NONE", [null]), {});
  });

  test("can be looked at one by one", () => {
    store.view = BOB;
    drawFrame();

    assert.deepEqual(tickers(), ["SAME"]);
    assert.deepEqual([...drawn[0].keys], ["2/SAME"]);
    assert.deepEqual(
      store.viewed.map(({ portfolio: { account_id } }) => account_id),
      [BOB],
    );
  });

  test("that are not looked at draw nothing but how they are connected", () => {
    store.view = BOB;
    drawFrame();
    drawn.length = 0;

    store.apply(position("A", 10));
    store.apply(closed("SAME", 10));
    store.apply(portfolio(10));
    assert.equal(frames.length, 0);
    store.apply({ type: "connection_status", account_id: ALICE, status: "reconnecting" });
    drawFrame();

    assert.equal(drawn[0].connection, true);
    assert.equal(drawn[0].keys.size, 0);
    store.view = null;
    assert.deepEqual(tickers().sort(), ["A", "SAME"]);
  });

  test("come and go", () => {
    store.apply(snapshot(1, [position("C", 1, "0.30", 3)], 3));
    store.apply({ type: "account_removed", account_id: BOB });
    drawFrame();

    assert.equal(drawn[0].accounts, true);
    assert.deepEqual([...store.accounts.keys()], [ALICE, 3]);
    assert.deepEqual(tickers().sort(), ["A", "C", "SAME"]);
    assert.equal(held("SAME", BOB), undefined);
  });

  test("that are gone are not brought back by what comes late", () => {
    store.apply({ type: "account_removed", account_id: BOB });

    store.apply(position("SAME", 10, "0.20", BOB));
    store.apply(portfolio(10, BOB));
    store.apply({ type: "connection_status", account_id: BOB, status: "live" });
    store.apply({ type: "account_removed", account_id: BOB });

    assert.deepEqual([...store.accounts.keys()], [ALICE]);
    assert.equal(held("SAME", BOB), undefined);
  });

  test("have sums by environment, each replaced by the next", () => {
    const sum = (cash, environment) => ({ ...portfolio(null, null), environment, cash });
    store.apply(sum("1", "demo"));
    store.apply(sum("7", "sandbox"));
    store.apply(sum("2", "demo"));
    drawFrame();

    assert.equal(drawn[0].portfolio, true);
    assert.equal(store.sums.get("demo").cash, "2");
    assert.equal(store.sums.get("sandbox").cash, "7");
  });

  test("keep the sums of other environments when one is gone: nobody sends these again", () => {
    store.apply({ ...portfolio(null, null), environment: "demo", cash: "1" });

    store.apply({ type: "account_removed", account_id: BOB });

    assert.equal(store.sums.get("demo").cash, "1");
  });

  test("all have their portfolios drawn that tell in one frame", () => {
    store.apply({ ...portfolio(10), cash: "10" });
    store.apply({ ...portfolio(4, BOB), cash: "4" });
    drawFrame();

    assert.equal(store.accounts.get(ALICE).portfolio.cash, "10");
    assert.equal(store.accounts.get(BOB).portfolio.cash, "4");
  });

  test("that went while nobody told can be dropped", () => {
    store.drop([BOB, 7]);
    drawFrame();

    assert.deepEqual([...store.accounts.keys()], [ALICE]);
    assert.equal(drawn[0].accounts, true);
  });

  test("are searched for a market: the one that is named, or first what is looked at", () => {
    store.view = BOB;

    assert.equal(store.find("SAME", ALICE).mark, "0.10");
    assert.equal(store.find("SAME", null).mark, "0.20");
    assert.equal(store.find("A", null).account_id, ALICE);
    assert.equal(store.find("A", BOB), undefined);
    assert.equal(store.find("NONE", null), undefined);
  });
});
