import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { PositionStream, backoffDelay } from "../../static/js/stream.js";

/** An EventSource that does what a test says. */
class FakeEventSource extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 2;
  static made = [];

  readyState = FakeEventSource.CONNECTING;

  constructor(url) {
    super();
    this.url = url;
    FakeEventSource.made.push(this);
  }

  close() {
    this.readyState = FakeEventSource.CLOSED;
  }

  send(type) {
    this.readyState = FakeEventSource.OPEN;
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify({ type }) }));
  }

  /** The connection broke; the browser will try again by itself. */
  breakOff() {
    this.readyState = FakeEventSource.CONNECTING;
    this.dispatchEvent(new Event("error"));
  }

  /** The server answered with an HTTP error: the browser gives up. */
  refuse() {
    this.readyState = FakeEventSource.CLOSED;
    this.dispatchEvent(new Event("error"));
  }
}

let stream;
let told;
let isSignedIn;

const made = () => FakeEventSource.made;
const newest = () => FakeEventSource.made.at(-1);
/** Let promises that are settled run their continuations. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  FakeEventSource.made = [];
  told = [];
  isSignedIn = async () => true;
  stream = new PositionStream(
    "/sse/positions",
    {
      onEvent: (event) => told.push(event.type),
      onOpen: () => told.push("open"),
      onLost: (heardAt) => told.push(`lost ${heardAt}`),
      onEnded: () => told.push("ended"),
      isSignedIn: () => isSignedIn(),
    },
    { EventSource: FakeEventSource, random: () => 1 },
  );
  stream.open();
});

afterEach(() => {
  stream.close();
  mock.timers.reset();
});

test("delays double up to 30 seconds, at least half of each is waited", () => {
  const failures = [1, 2, 3, 4, 5, 6, 60];

  assert.deepEqual(
    failures.map((count) => backoffDelay(count, 1)),
    [1000, 2000, 4000, 8000, 16000, 30000, 30000],
  );
  assert.equal(backoffDelay(1, 0), 500);
});

test("events are passed on, and the first says that they flow", () => {
  newest().send("snapshot");
  newest().send("position");

  assert.deepEqual(told, ["open", "snapshot", "position"]);
  assert.equal(stream.isFlowing, true);
});

test("opening twice makes one connection", () => {
  stream.open();

  assert.equal(made().length, 1);
});

describe("a connection that breaks", () => {
  test("and is back within two seconds was never away", () => {
    newest().send("snapshot");

    newest().breakOff();
    mock.timers.tick(1_500);
    newest().send("snapshot");
    mock.timers.tick(10_000);

    assert.deepEqual(told, ["open", "snapshot", "snapshot"]);
    assert.equal(made().length, 1);
  });

  test("for longer is lost as of the last event, until events come again", () => {
    newest().send("snapshot");
    mock.timers.tick(5_000);

    newest().breakOff();
    mock.timers.tick(2_000);
    newest().send("snapshot");

    assert.deepEqual(told, ["open", "snapshot", "lost 1000000", "open", "snapshot"]);
  });
});

describe("a server that refuses", () => {
  test("is tried again with growing delays", async () => {
    for (const delay of [1_000, 2_000, 4_000]) {
      const before = made().length;
      newest().refuse();
      await settle();
      mock.timers.tick(delay - 1);
      assert.equal(made().length, before);
      mock.timers.tick(1);
      assert.equal(made().length, before + 1);
    }
  });

  test("is tried after the shortest delay again once events have flowed", async () => {
    newest().refuse();
    await settle();
    mock.timers.tick(1_000);
    newest().send("snapshot");

    newest().refuse();
    await settle();
    mock.timers.tick(1_000);

    assert.equal(made().length, 3);
  });

  test("because the session is over is left alone", async () => {
    isSignedIn = async () => false;

    newest().refuse();
    await settle();
    mock.timers.tick(600_000);

    assert.deepEqual(told, ["ended"]);
    assert.equal(made().length, 1);
  });

  test("doesn't undo a reconnect made while the session was being checked", async () => {
    const check = deferred();
    isSignedIn = () => check.promise;
    newest().refuse();

    stream.reconnect();
    check.resolve(false);
    await settle();

    assert.equal(made().length, 2);
    assert.equal(newest().readyState, FakeEventSource.CONNECTING);
    assert.deepEqual(told, []);
  });
});

describe("silence", () => {
  test("of 45 seconds means dead, whatever the ready state says", () => {
    newest().send("snapshot");
    const silent = newest();

    mock.timers.tick(45_000);

    assert.equal(made().length, 2);
    assert.equal(silent.readyState, FakeEventSource.CLOSED);
    assert.deepEqual(told.slice(2), ["lost 1000000"]);
  });

  test("is broken by any event", () => {
    newest().send("snapshot");

    mock.timers.tick(30_000);
    newest().send("connection_status");
    mock.timers.tick(44_999);

    assert.equal(made().length, 1);
    mock.timers.tick(1);
    assert.equal(made().length, 2);
  });

  test("of a connection that never spoke is noticed too", () => {
    mock.timers.tick(45_000);

    assert.equal(made().length, 2);
    assert.deepEqual(told, ["lost null"]);
  });

  test("of 25 seconds is reason to doubt", () => {
    newest().send("snapshot");

    mock.timers.tick(25_000);

    assert.equal(stream.isFlowing, false);
  });
});

describe("reconnecting on purpose", () => {
  test("ends the wait at once", async () => {
    newest().refuse();
    await settle();

    stream.reconnect();
    mock.timers.tick(1_000);

    assert.equal(made().length, 2);
  });

  test("closes the connection before", () => {
    const first = newest();

    stream.reconnect();

    assert.equal(first.readyState, FakeEventSource.CLOSED);
  });
});

test("a closed stream stays silent and closed", async () => {
  newest().send("snapshot");
  newest().breakOff();

  stream.close();
  mock.timers.tick(600_000);
  await settle();

  assert.deepEqual(told, ["open", "snapshot"]);
  assert.equal(made().length, 1);
});

function deferred() {
  let resolve;
  const promise = new Promise((settled) => (resolve = settled));
  return { promise, resolve };
}
