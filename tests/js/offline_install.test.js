import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { keep } from "../../static/js/offline/install.js";

/** As a browser has it, in the state that it ends in. */
class Worker extends EventTarget {
  state = "installing";

  end(state) {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

let attempts;
let waits;

beforeEach(() => {
  attempts = 0;
  waits = [];
});

/** A browser in which each attempt comes to one of these, and all after them to the last. */
function container(...outcomes) {
  return {
    async register() {
      const outcome = outcomes[Math.min(attempts, outcomes.length - 1)];
      attempts += 1;
      return outcome();
    },
  };
}

function kept(browser) {
  return keep(browser, "/service-worker.js", async (ms) => {
    waits.push(ms);
  });
}

const unreachable = () => {
  throw new TypeError("Failed to register a ServiceWorker");
};

/** One whose program is fetched, and whose files then come to this. */
const ending = (state) => () => {
  const installing = new Worker();
  setImmediate(() => installing.end(state));
  return { active: null, installing };
};

const upToDate = () => ({ active: {}, installing: null, update: async () => {} });

const notUpdated = () => ({
  active: {},
  installing: null,
  update: async () => {
    throw new TypeError("Failed to update a ServiceWorker");
  },
});

describe("the shell", () => {
  test("is kept at once where all of it can be fetched", async () => {
    assert.equal(await kept(container(ending("installed"))), true);
    assert.deepEqual(waits, []);
  });

  test("is left as it is where it is the server's", async () => {
    assert.equal(await kept(container(upToDate)), true);
    assert.equal(attempts, 1);
  });

  for (const [what, failing] of [
    ["its program can't be fetched", unreachable],
    ["its newer program can't be fetched", notUpdated],
    ["one of its files can't be fetched", ending("redundant")],
  ]) {
    test(`is fetched again where ${what}`, async () => {
      assert.equal(await kept(container(failing, failing, ending("activated"))), true);
      assert.equal(attempts, 3);
      assert.ok(waits[0] < waits[1]);
    });

    test(`is left to the next page where ${what} at all`, async () => {
      assert.equal(await kept(container(failing)), false);
      assert.equal(attempts, 4);
    });
  }
});
