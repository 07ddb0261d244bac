import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { keepShell } from "../../static/js/offline/shell_keeper.js";

const ORIGIN = "https://kalshi.home.example";
const SHELL = { version: "new", page: "/shell", files: ["/static/js/dashboard.0f.js"] };

/** What is kept, by cache and address. @type {Map<string, Map<string, string>>} */
let kept;
/** What the server answers, by address; what is missing can't be reached. */
let server;
let listeners;
let skipped;
let asked;
/** Whether cookies go along with what is asked for the page that is kept. */
let credentials;

class Cache {
  constructor(entries) {
    this.entries = entries;
  }

  async addAll(requests) {
    for (const request of requests) {
      const path = pathOf(request);
      if (request.credentials) credentials.push(request.credentials);
      this.entries.set(path, `${server.get(path)}, kept`);
    }
  }

  async match(request) {
    return this.entries.get(pathOf(request));
  }
}

function pathOf(request) {
  return new URL(request.url ?? request, ORIGIN).pathname;
}

async function answered(request) {
  asked.push(pathOf(request));
  const answer = server.get(pathOf(request));
  if (answer === undefined) throw new TypeError("Failed to fetch");
  return answer;
}

function scopeOf() {
  return {
    location: { origin: ORIGIN },
    caches: {
      async open(name) {
        if (!kept.has(name)) kept.set(name, new Map());
        return new Cache(kept.get(name));
      },
      keys: async () => [...kept.keys()],
      delete: async (name) => kept.delete(name),
    },
    fetch: answered,
    registration: {},
    skipWaiting: async () => (skipped = true),
    addEventListener: (type, listener) => (listeners[type] = listener),
  };
}

/** Runs an event's listener to its end. */
async function fire(type) {
  const work = [];
  listeners[type]?.({ waitUntil: (promise) => work.push(promise) });
  await Promise.all(work);
}

/** @returns what the worker answers; undefined if it lets the request pass */
function ask(path, { mode = "cors", method = "GET", origin = ORIGIN, preloaded } = {}) {
  let answer;
  listeners.fetch?.({
    request: { url: origin + path, mode, method },
    preloadResponse: Promise.resolve(preloaded),
    respondWith: (promise) => (answer = promise),
  });
  return answer;
}

function navigate(path, options) {
  return ask(path, { mode: "navigate", ...options });
}

beforeEach(() => {
  kept = new Map();
  listeners = {};
  skipped = false;
  asked = [];
  credentials = [];
  server = new Map([
    ["/", "the dashboard"],
    ["/shell", "the shell"],
    ["/static/js/dashboard.0f.js", "a module"],
  ]);
  keepShell(scopeOf(), SHELL);
});

describe("the service worker", () => {
  test("keeps the shell and its files under its version", async () => {
    await fire("install");

    assert.deepEqual(kept, new Map([
      ["kalshi-live-shell-new", new Map([
        ["/shell", "the shell, kept"],
        ["/static/js/dashboard.0f.js", "a module, kept"],
      ])],
    ]));
    assert.deepEqual(credentials, ["omit"]);
  });

  test("takes over at once and drops what older ones kept, and nothing of others", async () => {
    kept.set("kalshi-live-shell-old", new Map());
    kept.set("somebody-else's", new Map());

    await fire("install");
    await fire("activate");

    assert.equal(skipped, true);
    assert.deepEqual([...kept.keys()].sort(), ["kalshi-live-shell-new", "somebody-else's"]);
  });

  test("asks the server for the page first", async () => {
    await fire("install");

    assert.equal(await navigate("/"), "the dashboard");
    assert.equal(await navigate("/", { preloaded: "the dashboard, early" }), "the dashboard, early");
  });

  test("shows an error of the server as it is", async () => {
    await fire("install");
    server.set("/", "an error");

    assert.equal(await navigate("/"), "an error");
  });

  test("shows the shell where the server can't be reached", async () => {
    await fire("install");
    server.clear();

    assert.equal(await navigate("/"), "the shell, kept");
    assert.equal(await navigate("/?reason=expired"), "the shell, kept");
  });

  test("shows the shell where the server does not answer", async (t) => {
    await fire("install");
    mock.timers.enable({ apis: ["setTimeout"] });
    t.after(() => mock.timers.reset());
    const page = navigate("/", { preloaded: new Promise(() => {}) });

    mock.timers.tick(10_000);

    assert.equal(await page, "the shell, kept");
  });

  test("fails as the server does where the browser has thrown the shell away", async () => {
    server.clear();

    await assert.rejects(navigate("/"), TypeError);
  });

  test("takes the files of the shell from what is kept, or else from the server", async () => {
    await fire("install");
    const path = "/static/js/dashboard.0f.js";

    assert.equal(await ask(path), "a module, kept");
    assert.deepEqual(asked, []);
    kept.clear();
    assert.equal(await ask(path), "a module");
  });

  const OTHERS = [
    ["a call", "/api/v1/account/positions", {}],
    ["the stream", "/sse/positions?account=all", {}],
    ["the settings", "/settings", { mode: "navigate" }],
    ["the admin", "/admin/", { mode: "navigate" }],
    ["the shell's own address", "/shell", { mode: "navigate" }],
    ["a form", "/", { mode: "navigate", method: "POST" }],
    ["another static file", "/static/admin/css/base.css", {}],
    ["another site", "/static/js/dashboard.0f.js", { origin: "https://kalshi.com" }],
  ];
  for (const [name, path, options] of OTHERS) {
    test(`lets ${name} pass`, async () => {
      await fire("install");

      assert.equal(ask(path, options), undefined);
    });
  }

  test("keeps nothing where names do not change with what they name", async () => {
    listeners = {};
    keepShell(scopeOf(), { ...SHELL, files: [] });

    await fire("install");
    await fire("activate");

    assert.deepEqual(kept, new Map());
    assert.equal(navigate("/"), undefined);
  });
});
