import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { ApiError } from "../../static/js/api.js";
import { ServerWatch } from "../../static/js/offline/server_watch.js";

/** Questions that are under way, each to be answered by the test. */
let questions;
let heard;
let watch;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  questions = [];
  heard = [];
  watch = new ServerWatch(
    {
      onBack: () => heard.push("back"),
      onEnded: () => heard.push("ended"),
      onLost: (why) => heard.push(why),
    },
    {
      ask: () => new Promise((answer, fail) => questions.push({ answer, fail })),
      random: () => 1,
    },
  );
});

afterEach(() => mock.timers.reset());

async function fail(error) {
  questions.at(-1).fail(error);
  await new Promise(setImmediate);
}

async function answer() {
  questions.at(-1).answer({});
  await new Promise(setImmediate);
}

const UNREACHABLE = new ApiError(0, "network", "This page can't reach its server.");

describe("the watch for the server", () => {
  test("tells that the server is back", async () => {
    watch.open();
    await answer();

    assert.deepEqual(heard, ["back"]);
  });

  test("tells that the session is over", async () => {
    watch.open();
    await fail(new ApiError(401, "unauthenticated", "Sign in."));

    assert.deepEqual(heard, ["ended"]);
  });

  test("tells what the server says, and nothing where it says nothing", async () => {
    watch.open();
    await fail(UNREACHABLE);
    watch.reconnect();
    await fail(new ApiError(503, "unavailable", "The database is away."));

    assert.deepEqual(heard, [null, "The database is away."]);
  });

  test("asks again after 1, 2, 4, then 5 s", async () => {
    watch.open();
    for (const [index, delay] of [1000, 2000, 4000, 5000, 5000].entries()) {
      await fail(UNREACHABLE);
      mock.timers.tick(delay - 1);
      assert.equal(questions.length, index + 1);
      mock.timers.tick(1);
      assert.equal(questions.length, index + 2);
    }
  });

  test("asks at once when it is told to, one question at a time", async () => {
    watch.open();
    watch.reconnect();
    assert.equal(questions.length, 1);
    await fail(UNREACHABLE);

    watch.reconnect();

    assert.equal(questions.length, 2);
  });

  test("is silent once it is closed", async () => {
    watch.open();
    watch.close();
    await fail(UNREACHABLE);
    mock.timers.tick(60_000);

    assert.deepEqual(heard, []);
    assert.equal(questions.length, 1);
  });
});
