import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { SharedStream } from "../../static/js/link/shared_stream.js";

/** The other end of a line, which says what a test says. */
class FakeLine {
  heard = [];
  onmessage = null;
  isClosed = false;

  postMessage(message) {
    this.heard.push(message.say);
  }

  say(message) {
    this.onmessage?.({ data: message });
  }

  close() {
    this.isClosed = true;
  }
}

class FakeDocument extends EventTarget {
  visibilityState = "visible";

  become(state) {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

const ADDRESS = { url: "/worker.js", session: "s", user: "7" };

let told;
let workers;
let own;
let page;
let failWorker;

function streamOf(environment = {}) {
  return new SharedStream(
    {
      onEvents: (events, at) => told.push(`events ${events.length} ${at}`),
      onConnected: () => told.push("connected"),
      onOpen: () => told.push("open"),
      onLost: (heardAt) => told.push(`lost ${heardAt}`),
      onEnded: (reason) => told.push(`ended ${reason}`),
      onRefused: (why) => told.push(`refused ${why}`),
    },
    {
      address: ADDRESS,
      lineToWorker(_, onFailed) {
        failWorker = onFailed;
        workers.push(new FakeLine());
        return workers.at(-1);
      },
      ownLine() {
        own.push(new FakeLine());
        return own.at(-1);
      },
      erase: async () => void told.push("erased"),
      document: page,
      locks: undefined,
      ...environment,
    },
  );
}

/** Second by second: in one leap, timers would find that they have slept. */
function pass(seconds, each = () => {}) {
  for (let second = 0; second < seconds; second += 1) {
    mock.timers.tick(1_000);
    each();
  }
}

/** The worker, each second, says that it lives. */
function live(seconds) {
  pass(seconds, () => {
    workers[0].say({ say: "batch", events: [], at: Date.now(), heardAt: Date.now() });
  });
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  told = [];
  workers = [];
  own = [];
  page = new FakeDocument();
});

afterEach(() => mock.timers.reset());

test("what the worker says is what a stream says", () => {
  const stream = streamOf();
  stream.open();

  workers[0].say({ say: "here" });
  workers[0].say({ say: "connected" });
  workers[0].say({ say: "open" });
  workers[0].say({ say: "batch", events: [{}, {}], at: 9, heardAt: 8 });
  workers[0].say({ say: "open" });
  assert.equal(stream.isFlowing, true);
  workers[0].say({ say: "lost", heardAt: 8 });
  workers[0].say({ say: "refused", why: "Close a tab." });

  assert.deepEqual(told, ["connected", "open", "events 2 9", "lost 8", "refused Close a tab."]);
  assert.equal(stream.isFlowing, false);
});

describe("a tab has a stream of its own", () => {
  test("where there is no worker", () => {
    streamOf({ lineToWorker: () => null }).open();

    assert.deepEqual(own[0].heard, ["hello"]);
  });

  test("where the page does not name one", () => {
    streamOf({ address: null }).open();

    assert.deepEqual([workers.length, own.length], [0, 1]);
  });

  test("when the worker can't be loaded", () => {
    streamOf().open();

    failWorker();

    assert.deepEqual(own[0].heard, ["hello"]);
  });

  test("when the worker never answers", () => {
    streamOf().open();

    pass(3);
    assert.equal(own.length, 0);
    pass(1);

    assert.equal(own.length, 1);
  });

  test("until the worker, which was only slow, answers after all", () => {
    streamOf().open();
    pass(4);

    workers[0].say({ say: "here" });
    workers[1].say({ say: "open" });
    pass(2);

    assert.deepEqual(own[0].heard, ["hello", "bye"]);
    assert.deepEqual([workers[0].heard, workers[1].heard], [["hello", "bye"], ["hello"]]);
    assert.deepEqual(told, ["open"]);
  });

  test("when the worker has died, and what it said last is said to be lost", () => {
    streamOf().open();
    workers[0].say({ say: "open" });
    live(3);
    const heardAt = Date.now();

    pass(15);

    assert.deepEqual(told, ["open", `lost ${heardAt}`]);
    assert.equal(own.length, 1);
  });
});

test("a worker that answers stays, whatever the stream does", () => {
  streamOf().open();
  workers[0].say({ say: "here" });
  workers[0].say({ say: "lost", heardAt: null });

  pass(120, () => {
    if (workers[0].heard.at(-1) === "look") workers[0].say({ say: "here" });
  });

  assert.equal(own.length, 0);
  assert.ok(workers[0].heard.includes("look"));
});

describe("a tab that is seen again", () => {
  test("has the worker judge at once, and asks for nothing while it is hidden", () => {
    streamOf().open();
    workers[0].say({ say: "here" });
    page.become("hidden");
    mock.timers.tick(600_000);
    assert.deepEqual(workers[0].heard, ["hello", "visible"]);

    page.become("visible");

    assert.deepEqual(workers[0].heard.slice(2), ["visible", "look"]);
  });

  test("after the computer slept does so within a second", (context) => {
    streamOf().open();
    workers[0].say({ say: "here" });
    live(2);
    const clock = Date.now;
    context.mock.method(Date, "now", () => clock() + 3_600_000);

    mock.timers.tick(1_000);

    assert.equal(workers[0].heard.at(-1), "look");
    assert.equal(own.length, 0);
  });
});

describe("leaving", () => {
  test("says bye, and coming back begins anew", () => {
    const stream = streamOf();
    stream.open();
    workers[0].say({ say: "open" });
    workers[0].say({ say: "batch", events: [], at: 0, heardAt: Date.now() });

    stream.close();
    mock.timers.tick(600_000);
    stream.reconnect();

    assert.deepEqual([workers[0].heard.at(-1), workers[0].isClosed], ["bye", true]);
    assert.deepEqual(workers[1].heard, ["hello"]);
    assert.deepEqual(told, ["open", "lost 1000000"]);
  });

  test("for good waits until what is kept is erased, here and there", async () => {
    const stream = streamOf();
    stream.open();
    let isLeft = false;

    const left = stream.close({ erase: true, reason: "signed_out" }).then(() => (isLeft = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([workers[0].heard.at(-1), isLeft], ["end", false]);
    workers[0].say({ say: "erased" });
    await left;

    assert.deepEqual(told, ["erased"]);
  });

  test("for good waits a second at most", async () => {
    const stream = streamOf({ erase: () => new Promise(() => {}) });
    stream.open();

    const left = stream.close({ erase: true });
    mock.timers.tick(1_000);
    await left;

    assert.equal(workers[0].isClosed, true);
  });

  test("is told by another tab with its reason", () => {
    streamOf().open();

    workers[0].say({ say: "ended", reason: "signed_out" });
    mock.timers.tick(60_000);

    assert.deepEqual(told, ["ended signed_out"]);
    assert.equal(own.length, 0);
  });
});
