import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { Switchboard } from "../../static/js/link/switchboard.js";
import { position, removed, snapshot } from "./link_events.js";

/** An EventSource that does what a test says. */
class FakeEventSource extends EventTarget {
  static CLOSED = 2;
  static made = [];
  readyState = 1;

  constructor() {
    super();
    FakeEventSource.made.push(this);
  }

  close() {
    this.readyState = FakeEventSource.CLOSED;
  }

  accept() {
    this.dispatchEvent(new Event("open"));
  }

  send(event) {
    this.dispatchEvent(new MessageEvent(event.type, { data: JSON.stringify(event) }));
  }

  refuse() {
    this.readyState = FakeEventSource.CLOSED;
    this.dispatchEvent(new Event("error"));
  }
}

/** A tab's end: what it is told, in short. */
class FakeTab {
  told = [];
  batches = [];

  constructor({ isVisible = true, accounts = [] } = {}) {
    this.port = { onmessage: null, postMessage: (message) => this.#receive(message), close() {} };
    switchboard.connect(this.port);
    this.say({ say: "hello", isVisible, accounts });
  }

  say(message) {
    this.port.onmessage({ data: message });
  }

  get events() {
    return this.batches.flatMap(({ events }) => events);
  }

  #receive(message) {
    if (message.say === "batch") this.batches.push(message);
    this.told.push(message.reason ? `${message.say} ${message.reason}` : message.say);
  }
}

const newest = () => FakeEventSource.made.at(-1);
const open = () => FakeEventSource.made.filter(({ readyState }) => readyState !== 2).length;
const settle = () => new Promise((resolve) => setImmediate(resolve));

let switchboard;
let stored;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  FakeEventSource.made = [];
  stored = [];
  switchboard = new Switchboard("7", {
    EventSource: FakeEventSource,
    pace: () => Date.now(),
    storage: {
      save: async (userId, picture, savedAt) => void stored.push({ userId, savedAt, ...picture }),
      erase: async () => void stored.push("erased"),
    },
  });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test("twenty tabs have one stream, and each is told", () => {
  const tabs = Array.from({ length: 20 }, () => new FakeTab());

  newest().accept();
  newest().send(snapshot(1, [position("A", 1)]));

  assert.equal(FakeEventSource.made.length, 1);
  for (const tab of tabs) assert.deepEqual(tab.told, ["here", "connected", "open", "batch"]);
});

test("a tab that comes later is told at once how everything stands", () => {
  new FakeTab();
  newest().send(snapshot(1, [position("A", 1)]));
  mock.timers.tick(5_000);

  const later = new FakeTab();

  assert.deepEqual(later.told, ["here", "open", "connected", "batch"]);
  assert.deepEqual([later.events[0].type, later.batches[0].at], ["snapshot", Date.now()]);
});

test("changes are told ten times a second", () => {
  const tab = new FakeTab();
  newest().send(snapshot(1, [position("A", 1)]));
  tab.batches = [];

  for (let version = 2; version <= 1_001; version += 1) {
    mock.timers.tick(1);
    newest().send(position("A", version, `0.${version}`));
  }
  mock.timers.tick(100);

  assert.ok(tab.batches.length >= 9 && tab.batches.length <= 11, `${tab.batches.length}`);
  assert.equal(tab.events.at(-1).version, 1_001);
});

test("a hidden tab is told nothing until it is seen", () => {
  const tab = new FakeTab({ isVisible: false });
  newest().send(snapshot(1, [position("A", 1)]));
  newest().send(position("A", 2));
  mock.timers.tick(60_000);
  assert.deepEqual(tab.batches, []);

  tab.say({ say: "visible", isVisible: true });

  assert.equal(tab.events[0].positions[0].version, 2);
});

describe("a tab's wish for a new connection", () => {
  test("is fulfilled once for all that have it at the same time", () => {
    const tabs = [new FakeTab(), new FakeTab()];
    newest().send(snapshot(1));
    mock.timers.tick(2_000);

    for (const tab of tabs) tab.say({ say: "reconnect" });

    assert.equal(FakeEventSource.made.length, 2);
    assert.equal(open(), 1);
  });

  test("is its look at a stream that slept", (context) => {
    const tab = new FakeTab();
    newest().send(snapshot(1));
    const clock = Date.now;
    context.mock.method(Date, "now", () => clock() + 600_000);

    tab.say({ say: "look" });

    assert.equal(FakeEventSource.made.length, 2);
    assert.deepEqual(tab.told.slice(-2), ["lost", "here"]);
  });

  for (const [way, by] of [["back", -3_600_000], ["forward", 9_000]]) {
    test(`is its look after the clock was set ${way}, until a snapshot told the server's`, (context) => {
      let isSet = false;
      const clock = Date.now;
      context.mock.method(Date, "now", () => clock() + (isSet ? by : 0));
      switchboard = new Switchboard("7", {
        EventSource: FakeEventSource,
        pace: () => clock(),
        storage: { save: async () => {}, erase: async () => {} },
      });
      const tab = new FakeTab();
      newest().send(snapshot(1));
      mock.timers.tick(2_000);

      isSet = true;
      tab.say({ say: "look" });
      assert.equal(FakeEventSource.made.length, 2);

      newest().send(snapshot(1));
      mock.timers.tick(2_000);
      tab.say({ say: "look" });
      assert.equal(FakeEventSource.made.length, 2);
    });
  }

  test("is no look at a stream that lives", () => {
    const tab = new FakeTab();
    newest().send(snapshot(1));
    mock.timers.tick(9_000);

    tab.say({ say: "look" });

    assert.equal(FakeEventSource.made.length, 1);
    assert.equal(tab.told.at(-1), "here");
  });
});

describe("the end of a session", () => {
  test("that one tab says is all tabs', and nothing is kept", async () => {
    const [one, other] = [new FakeTab(), new FakeTab()];
    newest().send(snapshot(1, [position("A", 1)]));

    one.say({ say: "end", reason: "signed_out" });
    await settle();
    mock.timers.tick(60_000);
    await settle();

    assert.equal(open(), 0);
    assert.equal(other.told.at(-1), "ended signed_out");
    assert.equal(one.told.at(-1), "erased");
    assert.deepEqual(stored, ["erased"]);
  });

  test("that the server says is all tabs' too", async () => {
    mock.method(globalThis, "fetch", async () => new Response("{}", { status: 401 }));
    const tabs = [new FakeTab(), new FakeTab()];

    newest().refuse();
    for (let turn = 0; turn < 5; turn += 1) await settle();

    for (const tab of tabs) assert.equal(tab.told.at(-1), "ended expired");
    assert.deepEqual(stored, ["erased"]);
  });

  for (const [what, words, reason] of [
    ["that somebody is signing out of has their reason", ["signed_out"], "signed_out"],
    ["that goes on after all may run out later", ["signed_out", null], "expired"],
  ]) {
    test(what, async () => {
      mock.method(globalThis, "fetch", async () => new Response("{}", { status: 401 }));
      const tab = new FakeTab();
      for (const word of words) switchboard.expectEnd(word);

      newest().refuse();
      for (let turn = 0; turn < 5; turn += 1) await settle();

      assert.equal(tab.told.at(-1), `ended ${reason}`);
    });
  }

  test("leaves nothing to whoever comes next", () => {
    const tab = new FakeTab();
    newest().send(snapshot(1, [position("A", 1)]));
    tab.say({ say: "end", reason: "signed_out" });

    const next = new FakeTab();

    assert.equal(open(), 1);
    assert.deepEqual(next.told, ["here"]);
  });
});

describe("the saved picture", () => {
  const named = [{ id: 1, environment: "demo", label: "Mine", same_as: null }];

  test("is written at most every five seconds, as things stand then", async () => {
    new FakeTab({ accounts: named });
    newest().send(snapshot(1, [position("A", 1)]));
    newest().send(position("A", 2));

    mock.timers.tick(4_999);
    await settle();
    assert.equal(stored.length, 0);
    mock.timers.tick(1);
    await settle();

    const [{ userId, accounts, snapshots }] = stored;
    assert.deepEqual([userId, accounts], ["7", named]);
    assert.equal(snapshots[0].positions[0].version, 2);
  });

  test("is written when the last tab goes, and the stream ends", async () => {
    const [one, other] = [new FakeTab(), new FakeTab()];
    newest().send(snapshot(1, [position("A", 1)]));

    one.say({ say: "bye" });
    assert.equal(open(), 1);
    other.say({ say: "bye" });
    await settle();

    assert.equal(open(), 0);
    assert.equal(stored.length, 1);
  });

  test("is as old as what was last heard, whenever it is written", async () => {
    const tab = new FakeTab({ accounts: named });
    newest().send(snapshot(1, [position("A", 1)]));
    const heardAt = Date.now();
    mock.timers.tick(3 * 3_600_000);

    tab.say({ say: "bye" });
    await settle();

    assert.equal(stored.at(-1).savedAt, heardAt);
  });

  test("goes with the last account", async () => {
    new FakeTab({ accounts: named });
    newest().send(snapshot(1, [position("A", 1)]));
    newest().send(removed(1));

    mock.timers.tick(5_000);
    await settle();

    assert.deepEqual(stored, ["erased"]);
  });

  test("stays when a tab goes before the stream has told of anything", async () => {
    const tab = new FakeTab({ accounts: named });
    tab.say({ say: "accounts", accounts: named });

    tab.say({ say: "bye" });
    await settle();

    assert.deepEqual(stored, []);
  });

  test("goes when the server says that there is no account any more", async () => {
    new FakeTab().say({ say: "accounts", accounts: [] });
    await settle();

    assert.deepEqual(stored, ["erased"]);
  });
});

test("an account that went between two connections goes from all tabs", () => {
  const [one, other] = [new FakeTab(), new FakeTab()];
  newest().send(snapshot(1, [], 1));
  newest().send(snapshot(1, [], 2));
  newest().accept();
  newest().send(snapshot(1, [], 1));

  one.say({ say: "accounts", accounts: [{ id: 1, environment: "demo" }] });
  mock.timers.tick(100);

  const removed = other.events.filter(({ type }) => type === "account_removed");
  assert.deepEqual(removed, [{ type: "account_removed", account_id: 2 }]);
});
