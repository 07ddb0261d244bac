import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { paced } from "../../static/js/pace.js";

describe("what is paced", () => {
  let now;
  let frames;
  let later;
  let schedule;
  let drawn;

  const frame = () => frames.splice(0).forEach((callback) => callback());

  beforeEach(() => {
    now = 0;
    frames = [];
    later = [];
    drawn = 0;
    schedule = paced(100, {
      now: () => now,
      frame: (callback) => frames.push(callback),
      later: (callback, delay) => later.push({ callback, delay }),
    });
  });

  const draw = () => schedule(() => (drawn += 1));

  test("is drawn in the next frame after a quiet time", () => {
    draw();
    frame();
    assert.equal(drawn, 1);
  });

  test("waits for the rest of the interval after the last", () => {
    draw();
    frame();
    now = 30;

    draw();
    assert.deepEqual([frames.length, later[0].delay], [0, 70]);
    now = 100;
    later[0].callback();
    frame();

    assert.equal(drawn, 2);
  });
});
