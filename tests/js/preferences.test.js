import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  applyPreferences,
  followPreferences,
  loadPreferences,
} from "../../static/js/preferences.js";

let stored;
let dataset;
let storageEvents;

const read = () => JSON.parse(stored.get("preferences"));

/** Another tab saves these. */
function otherSaves(changes) {
  stored.set("preferences", JSON.stringify({ ...read(), ...changes }));
}

beforeEach(() => {
  stored = new Map([["preferences", JSON.stringify({ theme: "light", order: "title" })]]);
  dataset = {};
  storageEvents = [];
  globalThis.localStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  globalThis.document = { documentElement: { dataset } };
  globalThis.addEventListener = (_, listener) => storageEvents.push(listener);
});

test("what is chosen here does not undo what another tab has chosen", () => {
  const preferences = loadPreferences();
  otherSaves({ theme: "dark", privacy: true });

  preferences.order = "pnl";
  applyPreferences(preferences);

  assert.deepEqual(
    [read().theme, read().privacy, read().order],
    ["dark", true, "pnl"],
  );
});

test("what was chosen here before is not chosen again", () => {
  const preferences = loadPreferences();
  preferences.theme = "dark";
  applyPreferences(preferences);
  otherSaves({ theme: "light" });

  preferences.order = "pnl";
  applyPreferences(preferences);

  assert.deepEqual([read().theme, read().order], ["light", "pnl"]);
});

test("nothing is written while nothing is chosen", () => {
  const preferences = loadPreferences();
  stored.clear();

  applyPreferences(preferences);

  assert.equal(stored.size, 0);
  assert.equal(dataset.theme, "light");
});

test("an attribute that stays as it is is not written: each writing has charts drawn anew", () => {
  const preferences = loadPreferences();
  const written = [];
  document.documentElement.dataset = new Proxy(dataset, {
    set: (target, name, value) => written.push(name) && Reflect.set(target, name, value),
  });
  applyPreferences(preferences);
  written.length = 0;

  preferences.order = "pnl";
  preferences.privacy = true;
  applyPreferences(preferences);

  assert.deepEqual(written, ["privacy"]);
});

test("what another tab chooses shows here, and is told", () => {
  const preferences = loadPreferences();
  const told = [];
  followPreferences(preferences, ({ privacy }) => told.push(privacy));
  otherSaves({ theme: "dark", privacy: true });

  for (const key of ["something else", "preferences"]) storageEvents[0]({ key });

  assert.deepEqual(told, [true]);
  assert.deepEqual([preferences.theme, dataset.theme, dataset.privacy], ["dark", "dark", "true"]);
});
