import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  abilities,
  accountFacts,
  accountWarning,
  ago,
  hasWayIn,
  passkeyName,
  sessionFacts,
  whatGoesWithPasskey,
  whatIsForgotten,
} from "../../static/js/settings/words.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const A_MINUTE_AGO = "2026-11-28T11:59:00Z";
const THREE_HOURS_AGO = "2026-11-28T09:00:00Z";

const account = (changes) => ({
  id: 1,
  name: "sandbox",
  label: "sandbox",
  environment: "sandbox",
  subaccount: 0,
  is_default: true,
  same_as: null,
  created_at: THREE_HOURS_AGO,
  ...changes,
});

const session = (changes) => ({
  user_id: 1,
  username: null,
  of: "key",
  is_staff: false,
  has_password: false,
  passkey_count: 0,
  accounts: [account()],
  credentials: [],
  ...changes,
});

describe("a use", () => {
  test("of the last minute was just now, as the server counts in minutes", () => {
    assert.equal(ago(A_MINUTE_AGO, NOW), "just now");
  });

  test("of the morning was hours ago", () => {
    assert.equal(ago(THREE_HOURS_AGO, NOW), "3\u00a0h ago");
  });
});

describe("a key", () => {
  for (const [scopes, words] of [
    [[], "the exchange doesn’t tell what it can do"],
    [["read"], "can only read"],
    [["read", "write"], "can also trade"],
    [["read", "write::orders"], "can also trade"],
    [["read", "writers"], "can only read"],
  ]) {
    test(`of the scopes [${scopes}] ${words}`, () => {
      assert.equal(abilities(scopes), words);
    });
  }
});

describe("an account", () => {
  test("names its subaccount unless it is the first", () => {
    assert.doesNotMatch(accountFacts(account()), /Subaccount/);
    assert.match(accountFacts(account({ subaccount: 3 })), /^Subaccount 3 · /);
  });

  test("that is another one at the exchange says which", () => {
    const twin = account({ id: 2, same_as: 1 });

    assert.match(accountWarning(twin, [account(), twin]), /same account as “sandbox”, .* once\.$/);
    assert.match(accountWarning(twin, [twin]), /same account as another of yours/);
  });
});

describe("a session", () => {
  test("says how, from where and when", () => {
    const facts = sessionFacts(
      { of: "key", address: "203.0.113.7", created_at: THREE_HOURS_AGO, last_used_at: A_MINUTE_AGO },
      NOW,
    );

    assert.match(facts, /^By a key · from 203\.0\.113\.7 · used just now · since /);
  });

  test("lends a new passkey the name of its browser, without the version", () => {
    const sessions = [
      { browser: "Firefox 144 on Windows", is_current: false },
      { browser: "Chrome 142 on Linux", is_current: true },
    ];

    assert.equal(passkeyName(sessions), "Chrome on Linux");
    assert.equal(passkeyName([]), "My passkey");
  });
});

describe("to delete a passkey", () => {
  const isLast = /^This is your last way in beside your keys\. Set a password first, .* opens nothing/;

  test("is to lose the last way in of who has neither another nor a password", () => {
    assert.match(whatGoesWithPasskey(session({ of: "person", passkey_count: 1 })), isLast);
  });

  test("is no more than that for who has one of them", () => {
    for (const other of [{ passkey_count: 2 }, { passkey_count: 1, has_password: true }]) {
      assert.match(whatGoesWithPasskey(session({ of: "person", ...other })), /^It opens nothing/);
    }
  });
});

describe("to forget everything", () => {
  test("is to forget the person where the person is proved", () => {
    const text = whatIsForgotten(session({ of: "person", has_password: true }));

    assert.match(text, /^Deletes all that is yours/);
    assert.match(text, /“sandbox”/);
  });

  test("in a session of a key leaves the rest of who has a way in", () => {
    const text = whatIsForgotten(session({ passkey_count: 1 }));

    assert.match(text, /whose key was shown in this session \(“sandbox”\)/);
    assert.match(text, /passkeys and other accounts stay/);
  });

  test("in a session of a key may leave nothing of who has none", () => {
    assert.equal(hasWayIn(session()), false);
    assert.match(whatIsForgotten(session()), /no other account here, nothing of yours is left/);
  });
});
