import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { Sayer } from "../../static/js/shell/status.js";

let spoken;
let sayer;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  spoken = [];
  sayer = new Sayer((text) => spoken.push(text));
});
afterEach(() => mock.timers.reset());

describe("what is said aloud", () => {
  test("at about the same time is said together, so that nothing is talked over", () => {
    sayer.say(["Sold: Atlanta."]);
    sayer.say(["", ""]);
    sayer.say(["Live"]);
    assert.deepEqual(spoken, []);

    mock.timers.tick(100);

    assert.deepEqual(spoken, ["Sold: Atlanta. Live"]);
  });

  test("later is said later, the same words too", () => {
    for (let turn = 0; turn < 2; turn += 1) {
      sayer.say(["Note: Saved."]);
      mock.timers.tick(100);
    }

    assert.deepEqual(spoken, ["Note: Saved.", "Note: Saved."]);
  });

  test("is not said any more once it must not be, and what comes then is", () => {
    sayer.say(["It paid $120.00."]);
    sayer.hush();
    mock.timers.tick(50);
    sayer.say(["Live"]);
    mock.timers.tick(100);

    assert.deepEqual(spoken, ["", "Live"]);
  });

  test("of very many only the first and their number, which hides nothing else", () => {
    sayer.say(Array.from({ length: 200 }, (_, index) => `Closed ${index}.`));
    sayer.say(["Live"]);
    mock.timers.tick(100);

    assert.deepEqual(spoken, ["Closed 0. Closed 1. Closed 2. And 197 more. Live"]);
  });
});
