import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { connectionView, overview } from "../../static/js/connection.js";
import { REASONS } from "../../static/js/reasons.js";

const NOON = new Date(2026, 10, 24, 12, 3, 22);
const now = NOON.getTime() + 5_000;

function connection(status, fields = {}) {
  return { status, attempt: 0, retry_at: null, reason: null, since: null, live_until: null, ...fields };
}

const instants = (fields) =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value?.toISOString?.() ?? value]),
  );

const view = (status, fields = {}) =>
  connectionView(connection(status, instants(fields)), null, now);

describe("what is said", () => {
  for (const [status, fields, message] of [
    ["live", {}, ""],
    ["connecting", {}, "Connecting to the exchange…"],
    ["reconnecting", {}, "Reconnecting…"],
    [
      "reconnecting",
      { live_until: NOON, reason: "connection_lost" },
      "Reconnecting… prices as of 12:03:22. The connection to the exchange ended.",
    ],
    [
      "disconnected",
      { retry_at: NOON, reason: "unreachable" },
      `${REASONS.unreachable} Next try at 12:03:22.`,
    ],
    [
      "disconnected",
      { live_until: NOON, reason: "credential_unreadable" },
      `${REASONS.credential_unreadable} Prices as of 12:03:22.`,
    ],
    ["unauthorized", { reason: "key_scope" }, REASONS.key_scope],
    [
      "unauthorized",
      { retry_at: NOON, live_until: NOON, reason: "key_refused" },
      `${REASONS.key_refused} Prices as of 12:03:22. Next try at 12:03:22.`,
    ],
    [
      "maintenance",
      { retry_at: NOON, live_until: NOON, reason: "maintenance" },
      "The exchange is in maintenance. Expected back at 12:03:22. Prices as of 12:03:22.",
    ],
  ]) {
    test(`${status} ${Object.entries(fields)}`, () => {
      assert.equal(view(status, fields).message, message);
      assert.equal(view(status, fields).status, status);
    });
  }

  for (const status of ["reconnecting", "disconnected", "unauthorized", "maintenance"]) {
    test(`${status} is told by each reason's own sentence`, () => {
      for (const [reason, sentence] of Object.entries(REASONS)) {
        assert.ok(view(status, { reason }).message.includes(sentence), reason);
      }
    });
  }

  for (const [status, message] of [
    ["reconnecting", "Reconnecting…"],
    ["disconnected", "There is no connection to the exchange."],
    ["unauthorized", REASONS.key_refused],
    ["maintenance", REASONS.maintenance],
  ]) {
    test(`${status} says its own sentence where the reason is none that we know`, () => {
      for (const reason of [null, "of_a_newer_server", "constructor"]) {
        assert.equal(view(status, { reason }).message, message);
      }
    });
  }
});

describe("what can be done", () => {
  test("is to sign in where the key is at fault", () => {
    assert.equal(view("unauthorized", { reason: "key_refused" }).action, "sign-in");
    assert.equal(view("unauthorized", { reason: "key_scope" }).action, "sign-in");
    assert.equal(view("disconnected", { reason: "no_credential" }).action, "sign-in");
    assert.equal(view("disconnected", { reason: "credential_unreadable" }).action, "sign-in");
  });

  test("is to try again otherwise", () => {
    for (const reason of ["unreachable", "environment_missing", "set_aside", null]) {
      assert.equal(view("disconnected", { reason }).action, "retry");
    }
    assert.equal(view("reconnecting", { reason: "rate_limited" }).action, "retry");
    assert.equal(view("maintenance", { reason: "maintenance" }).action, "retry");
  });

  test("is nothing while it works or is about to", () => {
    assert.equal(view("live").action, null);
    assert.equal(view("connecting").action, null);
  });
});

describe("the reasons", () => {
  test("are sentences, and can't be changed", () => {
    for (const sentence of Object.values(REASONS)) assert.match(sentence, /^[A-Z].+\.$/);
    assert.ok(Object.isFrozen(REASONS));
  });
});

describe("staleness", () => {
  test("quiet prices are current while live", () => {
    assert.equal(connectionView(connection("live"), null, now).isStale, false);
  });

  test("figures look live for 15 seconds after the last sign of life, and no longer", () => {
    const lost = connection("reconnecting", { live_until: NOON.toISOString() });

    assert.equal(connectionView(lost, null, NOON.getTime() + 14_999).isStale, false);
    assert.equal(connectionView(lost, null, NOON.getTime() + 15_000).isStale, true);
  });

  test("figures that never were live are stale at once", () => {
    assert.equal(connectionView(connection("connecting"), null, now).isStale, true);
  });

  test("before the server has spoken there is nothing to be stale", () => {
    assert.equal(connectionView(null, null, now).isStale, false);
  });
});

describe("when the server can't be reached", () => {
  test("the server's own word for it is told", () => {
    const loss = { lostAt: NOON.getTime(), why: "Close a tab." };

    const view = connectionView(connection("live"), loss, now);

    assert.equal(view.message, "Reconnecting… prices as of 12:03:22. Close a tab.");
  });

  test("prices are as of the last event that came while live", () => {
    const view = connectionView(connection("live"), { lostAt: NOON.getTime(), why: null }, now);

    assert.equal(view.status, "reconnecting");
    assert.equal(
      view.message,
      "Reconnecting… prices as of 12:03:22. This page can't reach its server.",
    );
  });

  test("that is the reason, whatever the server said before", () => {
    const refused = connection("unauthorized", { reason: "key_refused" });

    const view = connectionView(refused, { lostAt: now, why: null }, now);

    assert.equal(view.message, "Reconnecting… This page can't reach its server.");
    assert.equal(view.reason, "server_unreachable");
    assert.equal(view.action, "retry");
  });

  test("prices are as of the exchange's last sign of life if it was gone before", () => {
    const gone = connection("maintenance", { live_until: NOON.toISOString() });

    const view = connectionView(gone, { lostAt: now, why: null }, now);

    assert.match(view.message, /prices as of 12:03:22/);
  });
});

describe("figures that were saved earlier", () => {
  const savedAt = NOON.getTime();
  const later = savedAt + 3 * 60_000;

  test("say how old they are, and are stale from the start", () => {
    const view = connectionView(connection("live"), { lostAt: null, why: null, savedAt }, savedAt);

    assert.equal(view.word, "Offline");
    assert.equal(view.isStale, true);
    assert.equal(view.message, "Offline. Figures saved 0\u00a0s ago, at 12:03:22.");
  });

  test("are as old as when the exchange was last followed, if that was before", () => {
    const at = new Date(NOON.getTime() - 3 * 3_600_000).toISOString();
    const loss = { lostAt: null, why: null, savedAt };

    const { asOf, message } = connectionView(connection("reconnecting", { live_until: at }), loss, later);

    assert.equal(asOf, at);
    assert.match(message, /^Offline\. Figures saved 3\u00a0h ago, at 09:03:22\./);
  });

  test("say why they are shown where the server answers with an error", () => {
    const loss = { lostAt: null, why: "The database is away.", savedAt };

    const { message } = connectionView(connection("live"), loss, later);

    assert.equal(message, "The database is away. Figures saved 3\u00a0min ago, at 12:03:22.");
  });
});

describe("several connections together", () => {
  test("are live when all are", () => {
    assert.deepEqual(overview([view("live"), view("live")]), { status: "live", word: "Live" });
  });

  test("stand as the worst does, and say how many are live", () => {
    const together = overview([view("live"), view("unauthorized"), view("reconnecting")]);

    assert.deepEqual(together, { status: "unauthorized", word: "1 of 3 live" });
  });

  test("are one where there is one", () => {
    const together = overview([view("maintenance")]);

    assert.deepEqual(together, { status: "maintenance", word: "Maintenance" });
  });
});

test("while figures are not live there is one instant that they are of", () => {
  const live = { status: "live", live_until: null, reason: null, retry_at: null };
  const lost = { ...live, status: "reconnecting", live_until: "2026-11-24T12:03:22Z" };
  const now = Date.parse("2026-11-24T12:05:00Z");

  assert.equal(connectionView(live, null, now).asOf, null);
  assert.equal(connectionView(lost, null, now).asOf, "2026-11-24T12:03:22Z");
  const ours = connectionView(live, { lostAt: now - 20_000, why: null }, now);
  assert.equal(ours.asOf, "2026-11-24T12:04:40.000Z");
});
