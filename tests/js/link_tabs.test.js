import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Picture } from "../../static/js/link/picture.js";
import { BATCH_MS, HEARD_MS, HIDDEN_MS, SUMS_MS, Tab } from "../../static/js/link/tabs.js";
import { Store } from "../../static/js/store.js";
import {
  ALICE,
  closed,
  connection,
  portfolio,
  position,
  removed,
  snapshot,
  sum,
} from "./link_events.js";

const NOON = Date.parse("2026-11-24T12:00:00Z");
const BOB = 2;

let picture;
let tab;

/** The stream says something, at this computer's time. */
function hear(event, clock = NOON) {
  const news = picture.apply(event, clock);
  tab.hear();
  if (news) tab.note(news);
}

const take = (now, clock = NOON) => tab.take(picture, now, clock);

/** Each event as its type and what it is about, in short. */
const told = (events) =>
  events.map((event) => [event.type, event.ticker ?? event.account_id, event.mark].join(" ").trim());

beforeEach(() => {
  picture = new Picture();
  tab = new Tab(true, picture);
});

describe("a tab that comes", () => {
  test("is told at once how everything stands now", () => {
    hear(snapshot(3, [position("A", 3, "0.30")]));
    hear(position("A", 4, "0.44"));
    hear(sum("7"));

    const newcomer = new Tab(true, picture);

    assert.ok(newcomer.dueAt <= 0);
    const [first, second] = newcomer.take(picture, 0, NOON);
    assert.equal(first.positions[0].mark, "0.44");
    assert.equal(first.version, 4);
    assert.equal(second.cash, "7");
  });

  test("learns the server's clock although it comes an hour after the snapshot", () => {
    hear(snapshot(3), NOON - 5_000);
    const newcomer = new Tab(true, picture);
    const later = NOON + 3_600_000;

    const [event] = newcomer.take(picture, 0, later);

    assert.equal(Date.parse(event.server_time) - later, 5_000);
  });
});

describe("changes", () => {
  beforeEach(() => {
    hear(snapshot(1, [position("A", 1), position("B", 1)]));
    take(0);
  });

  test("come at once after a quiet time, then together", () => {
    hear(position("A", 2, "0.52"));
    assert.ok(tab.dueAt <= 1_000);
    assert.deepEqual(told(take(1_000)), ["position A 0.52"]);

    hear(position("A", 3, "0.53"));
    hear(position("A", 4, "0.54"));
    hear(position("B", 4, "0.64"));
    assert.equal(tab.dueAt, 1_000 + BATCH_MS);
    assert.deepEqual(told(take(1_100)), ["position A 0.54", "position B 0.64"]);
    assert.equal(tab.dueAt, Infinity);
  });

  test("of sums come half as often", () => {
    hear(portfolio(2));
    assert.deepEqual(told(take(1_000)), [`portfolio ${ALICE}`]);

    hear(portfolio(3));
    hear(position("A", 3, "0.53"));
    assert.deepEqual(told(take(1_100)), ["position A 0.53"]);
    assert.equal(tab.dueAt, 1_000 + SUMS_MS);
    assert.deepEqual(told(take(1_200)), [`portfolio ${ALICE}`]);
  });

  test("of the connection wait for nothing", () => {
    hear(position("A", 2, "0.52"));
    take(1_000);

    hear(connection("reconnecting"));

    assert.equal(tab.dueAt, -Infinity);
    assert.deepEqual(told(take(1_001)), [`connection_status ${ALICE}`]);
  });

  test("that are none are told as signs of life only", () => {
    hear(connection("live"));

    assert.equal(tab.dueAt, HEARD_MS);
    assert.deepEqual(take(HEARD_MS), []);
    assert.equal(tab.dueAt, Infinity);
  });
});

describe("a closing", () => {
  /** What the page makes of what this tab is told. */
  let store;
  let closings;
  let draw;

  function show(events) {
    for (const event of events) store.apply(event, NOON);
    draw?.();
    draw = undefined;
  }

  beforeEach(() => {
    closings = [];
    store = new Store(
      (callback) => (draw = callback),
      (callback) => (draw = callback),
    );
    store.subscribe((changes) => closings.push(...changes.ended.map(({ closed: { version } }) => version)));
    hear(snapshot(5, [position("A", 5)]));
    show(take(0));
  });

  test("is told although the position is open again", () => {
    hear(closed("A", 6));
    hear(position("A", 7, "0.70"));

    show(take(100));

    assert.deepEqual(closings, [6]);
    assert.equal(store.positions.get("1/A").mark, "0.70");
  });

  test("of what came and went between two batches is told", () => {
    hear(position("NEW", 6));
    hear(closed("NEW", 7));

    show(take(100));

    assert.deepEqual(closings, [7]);
    assert.equal(store.positions.has("1/NEW"), false);
  });

  test("before a snapshot that begins lower, and one after it, are both told", () => {
    hear(closed("A", 6));
    hear(snapshot(1, [position("B", 1)]));
    hear(closed("B", 2));
    hear(position("B", 3, "0.33"));

    show(take(100));

    assert.deepEqual(closings, [6, 2]);
    assert.deepEqual([...store.positions.values()].map(({ mark }) => mark), ["0.33"]);
  });

  test("is told although the account is gone", () => {
    hear(closed("A", 6));
    hear(removed(ALICE));

    const events = take(100);
    show(events);

    assert.deepEqual(told(events).slice(-2), ["position_closed A", `account_removed ${ALICE}`]);
    assert.equal(store.accounts.size, 0);
  });
});

describe("a hidden tab", () => {
  beforeEach(() => {
    hear(snapshot(1, [position("A", 1), position("B", 1)]));
    take(0);
    tab.isVisible = false;
  });

  test("is told of sums now and then, and of no position", () => {
    hear(position("A", 2));
    hear(closed("B", 2));
    assert.equal(tab.dueAt, Infinity);

    hear(portfolio(2));
    assert.ok(tab.dueAt <= HIDDEN_MS);
    assert.deepEqual(told(take(HIDDEN_MS)), [`portfolio ${ALICE}`]);
    hear(portfolio(3));
    assert.equal(tab.dueAt, 2 * HIDDEN_MS);
  });

  test("is told how its accounts are connected, since its title looks live", () => {
    hear(connection("maintenance"));

    assert.ok(tab.dueAt <= HIDDEN_MS);
    const [event, ...others] = take(HIDDEN_MS);
    assert.deepEqual([event.type, event.status, others], ["connection_status", "maintenance", []]);
    assert.equal(tab.dueAt, Infinity);
  });

  test("is told the newest sum with the connection that is live again", () => {
    hear(connection("reconnecting"));
    take(HIDDEN_MS);
    hear(snapshot(9, [position("A", 9)]));

    const events = take(2 * HIDDEN_MS);

    assert.deepEqual(told(events), [`connection_status ${ALICE}`, `portfolio ${ALICE}`]);
    assert.deepEqual([events[0].status, events[1].version], ["live", 9]);
  });

  test("is told all that it has missed as soon as it is seen", () => {
    hear(position("A", 2, "0.52"));
    hear(position("A", 3, "0.53"));
    hear(closed("B", 3));
    hear(snapshot(1, [], BOB));

    tab.isVisible = true;

    assert.ok(tab.dueAt <= 0);
    assert.deepEqual(told(take(1)), [
      "position B 0.50",
      "position_closed B",
      "position A 0.53",
      `snapshot ${BOB}`,
    ]);
  });
});

test("a hidden tab is told the end of all that closed meanwhile, however many", () => {
  const names = Array.from({ length: 600 }, (_, number) => `T${number}`);
  const [direct, batched] = [new Store(() => {}, () => {}), new Store(() => {}, () => {})];
  const follow = (event) => {
    direct.apply(event, NOON);
    hear(event);
  };
  const show = (events) => events.forEach((event) => batched.apply(event, NOON));
  follow(snapshot(1, ["STAYS", "CHANGES", ...names].map((name) => position(name, 1))));
  show(take(0));
  tab.isVisible = false;

  follow(position("CHANGES", 2, "0.70"));
  follow(portfolio(2));
  for (const name of names) follow(closed(name, 3));
  const sums = take(HIDDEN_MS);
  show(sums);
  tab.isVisible = true;
  show(take(2 * HIDDEN_MS));

  assert.deepEqual(told(sums), [`portfolio ${ALICE}`]);
  assert.deepEqual(
    [...batched.positions.values()].map(({ ticker, mark }) => [ticker, mark]),
    [["STAYS", "0.50"], ["CHANGES", "0.70"]],
  );
  assert.deepEqual(
    batched.ends.map((end) => end.closed),
    direct.ends.map((end) => end.closed),
  );
});

describe("accounts that went between two connections", () => {
  beforeEach(() => {
    hear(snapshot(1, [], ALICE));
    hear(snapshot(1, [], BOB));
    picture.beginConnection();
  });

  test("go when the server names those there are", () => {
    const news = picture.keepOnly([{ id: ALICE, environment: "demo" }]);

    assert.deepEqual(news, [{ kind: "removed", id: BOB }]);
  });

  test("are not those that this connection has told of since", () => {
    hear(snapshot(2, [], BOB));

    assert.deepEqual(picture.keepOnly([{ id: ALICE, environment: "demo" }]), []);
  });
});

test("whatever happens, a page that is told now and then ends where the stream is", () => {
  // A fixed sequence that looks like chance: x' = 1103515245 x + 12345 mod 2^31.
  let x = 7;
  const chance = (count) => (x = (1103515245 * x + 12345) % 2 ** 31) % count;
  const direct = new Store(() => {}, () => {});
  const batched = new Store(() => {}, () => {});
  const version = new Map();
  const next = (id) => version.set(id, (version.get(id) ?? 0) + 1).get(id);
  const tickers = ["A", "B", "C", "D"];

  for (let step = 0; step < 20_000; step += 1) {
    const id = 1 + chance(3);
    const ticker = tickers[chance(4)];
    const kind = chance(40);
    if (kind === 0) version.set(id, 0); // the server's cache was rebuilt
    const event =
      kind < 2
        ? snapshot(next(id), [position(ticker, version.get(id), `${step}`, id)], id)
        : kind < 3
          ? removed(id)
          : kind < 9
            ? closed(ticker, next(id), id)
            : kind < 12
              ? portfolio(next(id), id)
              : position(ticker, next(id), `${step}`, id);
    direct.apply(event, NOON);
    hear(event);
    if (chance(20) === 0) tab.isVisible = !tab.isVisible;
    if (tab.dueAt <= step) for (const each of take(step)) batched.apply(each, NOON);
  }
  tab.isVisible = true;
  for (const each of take(1e9)) batched.apply(each, NOON);

  const all = (store) =>
    [...store.accounts].map(([id, account]) => [
      id,
      account.portfolio.version,
      [...account.positions.values()].map(({ ticker, mark }) => `${ticker} ${mark}`).sort(),
    ]);
  assert.deepEqual(all(batched).sort(), all(direct).sort());
  assert.deepEqual([...batched.positions.keys()].sort(), [...direct.positions.keys()].sort());
});
