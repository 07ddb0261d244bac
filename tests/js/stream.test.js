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

  /** The server answered; there need not be events. */
  accept() {
    this.readyState = FakeEventSource.OPEN;
    this.dispatchEvent(new Event("open"));
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

const OVER = { status: 401, message: "Sign in first." };

let stream;
let told;
let whyRefused;

const made = () => FakeEventSource.made;
const newest = () => FakeEventSource.made.at(-1);
/** Let promises that are settled run their continuations. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  FakeEventSource.made = [];
  told = [];
  whyRefused = async () => null;
  stream = new PositionStream(
    "/sse/positions",
    {
      onEvent: (event) => told.push(event.type),
      onConnected: () => told.push("connected"),
      onOpen: () => told.push("open"),
      onLost: (heardAt) => told.push(`lost ${heardAt}`),
      onEnded: () => told.push("ended"),
      onRefused: (why) => told.push(`refused ${why}`),
      whyRefused: () => whyRefused(),
    },
    { EventSource: FakeEventSource, random: () => 1 },
  );
  stream.open();
});

afterEach(() => {
  stream.close();
  mock.timers.reset();
});

test("delays double up to 5 seconds, at least half of each is waited", () => {
  const failures = [1, 2, 3, 4, 5, 6, 60];

  assert.deepEqual(
    failures.map((count) => backoffDelay(count, 1)),
    [1000, 2000, 4000, 5000, 5000, 5000, 5000],
  );
  assert.equal(backoffDelay(1, 0), 500);
});

test("events are passed on, and the first says that they flow", () => {
  newest().send("snapshot");
  newest().send("position");

  assert.deepEqual(told, ["open", "snapshot", "position"]);
  assert.equal(stream.isFlowing, true);
});

test("each connection is told of, even one that was not missed or brings no events", () => {
  newest().accept();
  newest().send("snapshot");
  newest().breakOff();
  const [old] = made();
  mock.timers.tick(1_500);
  newest().accept();
  old.accept();

  assert.deepEqual(told, ["connected", "open", "snapshot", "connected"]);
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
    assert.equal(made().length, 2);
  });

  test("for longer is lost as of the last event, until events come again", () => {
    newest().send("snapshot");
    mock.timers.tick(5_000);

    newest().breakOff();
    mock.timers.tick(2_000);
    newest().send("snapshot");

    assert.deepEqual(told, ["open", "snapshot", "lost 1000000", "open", "snapshot"]);
  });

  test("is not left to the browser's own attempts, nor is the session asked about", async () => {
    let questions = 0;
    whyRefused = async () => (questions += 1) && null;
    newest().send("snapshot");
    const broken = newest();

    broken.breakOff();
    await settle();

    assert.equal(broken.readyState, FakeEventSource.CLOSED);
    assert.equal(questions, 0);
  });

  test("tells its loss once, however often it is tried", () => {
    newest().send("snapshot");

    for (const delay of [1_000, 2_000, 4_000, 8_000, 16_000]) {
      newest().breakOff();
      mock.timers.tick(delay);
    }

    assert.deepEqual(told, ["open", "snapshot", "lost 1000000"]);
  });
});

for (const [server, fail] of [
  ["a server that refuses", "refuse"],
  ["a server that can't be reached", "breakOff"],
]) {
  describe(server, () => {
    test("is tried again with growing delays", () => {
      for (const delay of [1_000, 2_000, 4_000, 5_000, 5_000, 5_000]) {
        const before = made().length;
        newest()[fail]();
        mock.timers.tick(delay - 1);
        assert.equal(made().length, before);
        mock.timers.tick(1);
        assert.equal(made().length, before + 1);
      }
    });

    test("is tried after the shortest delay again once events have flowed", () => {
      newest()[fail]();
      mock.timers.tick(1_000);
      newest().send("snapshot");

      newest()[fail]();
      mock.timers.tick(1_000);

      assert.equal(made().length, 3);
    });

    test("is tried for ever, though nobody says whether the session is over", async () => {
      whyRefused = () => new Promise(() => {});

      for (let attempt = 1; attempt <= 20; attempt += 1) {
        newest()[fail]();
        await settle();
        mock.timers.tick(5_000);
        assert.equal(made().length, attempt + 1);
      }
      newest().send("snapshot");

      assert.equal(stream.isFlowing, true);
    });
  });
}

describe("a refused session", () => {
  test("that is over ends the stream", async () => {
    whyRefused = async () => OVER;

    newest().refuse();
    await settle();
    mock.timers.tick(600_000);

    assert.deepEqual(told, ["ended"]);
    assert.equal(made().length, 1);
  });

  test("ends the stream although the next attempt is under way", async () => {
    const check = deferred();
    whyRefused = () => check.promise;
    newest().refuse();
    mock.timers.tick(1_000);

    check.resolve(OVER);
    await settle();
    mock.timers.tick(600_000);

    assert.equal(told.at(-1), "ended");
    assert.equal(made().length, 2);
    assert.equal(newest().readyState, FakeEventSource.CLOSED);
  });

  for (const [event, happen] of [
    ["events flowed meanwhile", () => (mock.timers.tick(1_000), newest().send("snapshot"))],
    ["somebody reconnected meanwhile", () => stream.reconnect()],
  ]) {
    test(`doesn't end the stream if ${event}`, async () => {
      const check = deferred();
      whyRefused = () => check.promise;
      newest().refuse();

      happen();
      check.resolve(OVER);
      await settle();

      assert.equal(made().length, 2);
      assert.notEqual(newest().readyState, FakeEventSource.CLOSED);
      assert.equal(told.includes("ended"), false);
    });
  }

  test("that may be let in later is told why, and tried again", async () => {
    whyRefused = async () => ({ status: 429, message: "Close a tab." });

    newest().refuse();
    await settle();
    mock.timers.tick(1_000);

    assert.deepEqual(told, ["refused Close a tab."]);
    assert.equal(made().length, 2);
  });

  test("is no reason of a later loss once events flow, be it within the grace", async () => {
    newest().send("snapshot");
    whyRefused = async () => ({ status: 502, message: "A proxy's error." });
    newest().breakOff();
    mock.timers.tick(1_000);
    newest().refuse();
    await settle();

    mock.timers.tick(500);
    stream.reconnect();
    newest().send("snapshot");

    assert.deepEqual(told.slice(2), ["refused A proxy's error.", "refused null", "snapshot"]);
  });

  test("is no reason any more when the server can't even be reached", async () => {
    whyRefused = async () => ({ status: 502, message: "A proxy's error." });
    newest().refuse();
    await settle();
    mock.timers.tick(1_000);

    newest().breakOff();
    mock.timers.tick(2_000);
    newest().breakOff();

    assert.deepEqual(told, ["refused A proxy's error.", "refused null", "lost null"]);
  });

  test("isn't told of after the stream was closed", async () => {
    const check = deferred();
    whyRefused = () => check.promise;
    newest().refuse();

    stream.close();
    check.resolve(OVER);
    await settle();

    assert.deepEqual(told, []);
  });
});

describe("silence", () => {
  test("of 15 seconds is reason to doubt, and a word ends the doubt", () => {
    newest().send("snapshot");

    mock.timers.tick(14_999);
    assert.equal(stream.isFlowing, true);
    mock.timers.tick(1);
    assert.equal(stream.isFlowing, false);
    newest().send("connection_status");

    assert.deepEqual(told.slice(2), ["lost 1000000", "open", "connection_status"]);
    assert.equal(made().length, 1);
  });

  test("of 25 seconds means dead, whatever the ready state says", () => {
    newest().send("snapshot");
    const silent = newest();

    mock.timers.tick(24_999);
    assert.equal(made().length, 1);
    mock.timers.tick(1);

    assert.equal(made().length, 2);
    assert.equal(silent.readyState, FakeEventSource.CLOSED);
    assert.deepEqual(told.slice(2), ["lost 1000000"]);
  });

  test("is broken by any event", () => {
    newest().send("snapshot");

    mock.timers.tick(14_000);
    newest().send("connection_status");
    mock.timers.tick(24_999);

    assert.equal(made().length, 1);
    mock.timers.tick(1);
    assert.equal(made().length, 2);
  });

  test("of connections that never speak is noticed each time", () => {
    for (const count of [2, 3, 4]) {
      mock.timers.tick(25_000);
      assert.equal(made().length, count);
    }
    assert.deepEqual(told, ["lost null"]);
  });

  test("goes on to be noticed when the clock was set back", (context) => {
    newest().send("snapshot");
    const clock = Date.now;
    context.mock.method(Date, "now", () => clock() - 3_600_000);

    for (let second = 0; second < 40; second += 1) mock.timers.tick(1_000);

    assert.equal(made().length, 2);
  });

  test("of a page that was put away is seen as soon as it is back", () => {
    newest().send("snapshot");
    stream.close();
    mock.timers.tick(600_000);

    stream.reconnect();

    assert.deepEqual(told, ["open", "snapshot", "lost 1000000"]);
  });
});

describe("reconnecting on purpose", () => {
  test("ends the wait at once", () => {
    newest().refuse();

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
