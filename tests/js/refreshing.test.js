import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { useLocale } from "../../static/js/locale.js";
import { Refreshing } from "../../static/js/words/refreshing.js";

useLocale("en-US");

const before = [{ reconciled_at: new Date(2026, 10, 24, 12, 3, 0).toISOString() }];
const after = [{ reconciled_at: new Date(2026, 10, 24, 12, 3, 22).toISOString() }];
const evenLater = [{ reconciled_at: new Date(2026, 10, 24, 12, 3, 52).toISOString() }];
const now = new Date(2026, 10, 24, 12, 4, 0).getTime();

describe("a refresh that worked", () => {
  test("is told once, when the exchange has been asked, not when the wish is taken", () => {
    const refreshing = new Refreshing();

    refreshing.ask(before);
    assert.equal(refreshing.view.state, "pending");
    refreshing.accept();

    assert.equal(refreshing.learn(before, now), "");
    assert.equal(refreshing.learn(after, now), "Checked with the exchange at 12:03:22.");
    assert.equal(refreshing.learn(after, now), "");
    assert.deepEqual(refreshing.view, { state: "idle", message: "" });
  });

  test("of several accounts all must have been asked", () => {
    const refreshing = new Refreshing();

    refreshing.ask([...before, ...before]);

    assert.equal(refreshing.learn([...before, ...after], now), "");
    assert.match(refreshing.learn([...after, ...after], now), /^Checked/);
  });

  test("the first check of all counts too", () => {
    const refreshing = new Refreshing();

    refreshing.ask([{ reconciled_at: null }]);

    assert.equal(refreshing.learn([{ reconciled_at: null }], now), "");
    assert.match(refreshing.learn(after, now), /^Checked/);
  });

  test("a check that nobody asked for says nothing", () => {
    assert.equal(new Refreshing().learn(after, now), "");
  });
});

describe("a refresh that failed", () => {
  const failed = () => {
    const refreshing = new Refreshing();
    refreshing.ask(before);
    refreshing.fail("The server is busy.");
    return refreshing;
  };

  test("says why, and no later check is taken for its success", () => {
    const refreshing = failed();

    assert.deepEqual(refreshing.view, { state: "failed", message: "The server is busy." });
    assert.equal(refreshing.learn(after, now), "");
  });

  test("is withdrawn in silence when the exchange was asked all the same", () => {
    const refreshing = failed();

    assert.equal(refreshing.learn(before, now), "");
    assert.equal(refreshing.view.state, "failed");
    assert.equal(refreshing.learn(after, now), "");

    assert.deepEqual(refreshing.view, { state: "idle", message: "" });
    assert.equal(refreshing.learn(evenLater, now), "");
  });

  test("is no success of a later check once events flow again", () => {
    const refreshing = failed();

    refreshing.works();

    assert.equal(refreshing.learn(after, now), "");
  });

  test("is withdrawn when events flow again", () => {
    const refreshing = failed();

    refreshing.works();

    assert.deepEqual(refreshing.view, { state: "idle", message: "" });
  });

  test("after what was wished for has come is none", () => {
    const refreshing = new Refreshing();
    refreshing.ask(before);
    refreshing.learn(after, now);

    refreshing.fail("The server has not answered in 10 s.");

    assert.deepEqual(refreshing.view, { state: "idle", message: "" });
  });

  test("is withdrawn when another one works", () => {
    const refreshing = failed();

    refreshing.ask(before);
    refreshing.accept();

    assert.match(refreshing.learn(after, now), /^Checked/);
    assert.equal(refreshing.view.state, "idle");
  });
});

test("events that flow don't end a refresh that is under way", () => {
  const refreshing = new Refreshing();

  refreshing.ask(before);
  refreshing.works();

  assert.equal(refreshing.view.state, "pending");
});
