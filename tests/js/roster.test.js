import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { Roster } from "../../static/js/roster.js";

/** Questions that are under way, each to be answered by the test. */
let questions;
let learned;
let roster;

beforeEach(() => {
  questions = [];
  learned = [];
  roster = new Roster(
    () => new Promise((answer, fail) => questions.push({ answer, fail })),
    (answer) => learned.push(answer),
  );
});

describe("a roster", () => {
  test("learns what the server answers", async () => {
    const done = roster.renew();
    questions[0].answer("one");
    await done;

    assert.deepEqual(learned, ["one"]);
  });

  test("asks again if something happened since it asked, and learns only the newest", async () => {
    const done = roster.renew();
    roster.renew();
    roster.renew();
    assert.equal(questions.length, 1);
    questions[0].answer("old");
    await new Promise(setImmediate);
    questions[1].answer("new");
    await done;

    assert.deepEqual(learned, ["new"]);
    assert.equal(questions.length, 2);
  });

  test("asks again by itself where it got no answer", async (t) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    t.after(() => mock.timers.reset());
    const done = roster.renew();
    questions[0].fail(new Error("no answer"));
    await done;

    mock.timers.tick(5_000);
    questions[1].answer("one");
    await new Promise(setImmediate);

    assert.deepEqual(learned, ["one"]);
  });

  test("can be asked anew after each answer", async () => {
    for (const answer of ["one", "two"]) {
      const done = roster.renew();
      questions.at(-1).answer(answer);
      await done;
    }

    assert.deepEqual(learned, ["one", "two"]);
  });
});
