import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Viewed, twinsText } from "../../static/js/viewed.js";

const account = (id, environment, label, same_as = null) => ({ id, environment, label, same_as });

const MAIN = account(1, "production", "Main");
const SECOND = account(2, "production", "Second");
const DEMO = account(3, "demo", "Demo");

/** What the store knows, as far as it matters. */
let store;

beforeEach(() => {
  const known = [MAIN, SECOND, DEMO].map(({ id }) => [id, { portfolio: { account_id: id } }]);
  store = { view: null, accounts: new Map(known), sums: new Map() };
});

const viewed = (...accounts) => new Viewed(store, { accounts });

describe("all of several accounts", () => {
  test("have a sum for each environment, the server's where it has several", () => {
    const total = { account_id: null, environment: "production" };
    store.sums.set("production", total);

    const sums = viewed(MAIN, SECOND, DEMO).sums;

    assert.deepEqual(sums, [
      { heading: "Production · 2 accounts", ids: [1, 2], portfolio: total },
      { heading: "Demo", ids: [3], portfolio: { account_id: 3 } },
    ]);
  });

  test("whose sum has not come yet show none of their own", () => {
    const [sum] = viewed(MAIN, SECOND).sums;

    assert.equal(sum.portfolio, undefined);
  });

  test("are named, also in the heading of one that has a name of its own", () => {
    const all = viewed(MAIN, DEMO);

    const names = [1, 3, 9, null].map((id) => all.nameOf(id));
    assert.deepEqual(names, ["Main", "Demo", "", ""]);
    assert.deepEqual(
      all.sums.map(({ heading }) => heading),
      ["Production · Main", "Demo"],
    );
  });
});

describe("one of several accounts", () => {
  test("is shown without names, with its own figures", () => {
    store.view = 2;

    const one = viewed(MAIN, SECOND, DEMO);

    assert.deepEqual(one.sums, [{ heading: "", ids: [2], portfolio: { account_id: 2 } }]);
    assert.deepEqual(one.environments, ["production"]);
    assert.equal(one.nameOf(2), "");
    assert.deepEqual([one.includes(2), one.includes(1)], [true, false]);
  });
});

describe("the only account", () => {
  test("is shown without names", () => {
    const only = viewed(MAIN);

    assert.equal(only.isAll, false);
    assert.deepEqual(only.sums, [{ heading: "", ids: [1], portfolio: { account_id: 1 } }]);
  });
});

test("without any account there is nothing to sum up", () => {
  assert.deepEqual(viewed().sums, []);
});

test("accounts that are one at the exchange are said to be, once", () => {
  const later = account(2, "production", "Second", 1);
  const mutual = account(1, "production", "Main", 2);
  const sentence = "Second is the same account at the exchange as Main: sums count it once.";

  assert.equal(twinsText([MAIN, later]), sentence);
  assert.equal(twinsText([mutual, later]), sentence);
  assert.equal(twinsText([MAIN, SECOND]), "");
  assert.equal(twinsText([later]), "");
});
