import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { followNews, tellSigningOut } from "../../static/js/link/session_news.js";
import { forgetHeld, leaveNothing } from "../../static/js/offline/erasing.js";

let stored;
const read = () => JSON.parse(stored.get("preferences"));

beforeEach(() => {
  stored = new Map();
  globalThis.localStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  const preferences = { theme: "dark", account: "2", pinned: ["1/FED", "2/GOLD", "12/RAIN"] };
  stored.set("preferences", JSON.stringify(preferences));
});

describe("what the preferences tell of holdings", () => {
  test("goes when somebody leaves; how the page looks stays", () => {
    forgetHeld();

    assert.deepEqual(read(), { theme: "dark", account: "", pinned: [] });
  });

  test("of one account goes with that account", () => {
    forgetHeld(1);
    assert.deepEqual(read(), { theme: "dark", account: "2", pinned: ["2/GOLD", "12/RAIN"] });

    forgetHeld(2);
    assert.deepEqual(read(), { theme: "dark", account: "", pinned: ["12/RAIN"] });
  });

  test("is no trouble where nothing was chosen, or nothing can be read", () => {
    stored.clear();
    forgetHeld();
    stored.set("preferences", "{");
    forgetHeld(1);
    assert.equal(stored.get("preferences"), "{");
  });
});

test("who leaves nothing behind has the dashboards told as well", async () => {
  let end;
  const told = new Promise((heard) => (end = followNews({ end: heard })));

  await leaveNothing("signed_out");

  assert.equal(await told, "signed_out");
  assert.deepEqual(read(), { theme: "dark", account: "", pinned: [] });
  end();
});

test("who is about to leave has the dashboards told before", async () => {
  let end;
  const told = new Promise((heard) => (end = followNews({ expectEnd: heard })));

  tellSigningOut("signed_out");

  assert.equal(await told, "signed_out");
  end();
});
