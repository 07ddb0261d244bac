import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withAdvice } from "../../static/js/advice.js";
import { Cancelled } from "../../static/js/cancelled.js";
import { destination } from "../../static/js/destination.js";
import { oneTimeLink } from "../../static/js/one_time_link.js";
import { PasskeyFailed, told } from "../../static/js/passkeys.js";

describe("a sign-in leads", () => {
  for (const [asked, where] of [
    ["", "/"],
    ["/settings", "/settings"],
    ["/settings#ways-in", "/settings#ways-in"],
    ["/", "/"],
    ["/admin/", "/"],
    ["/settings/", "/"],
    ["/settings?x=1", "/"],
    ["/settings#", "/"],
    ["/settings#Ways", "/"],
    ["/settings\n", "/"],
    ["//evil.example/settings", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example/settings", "/"],
    ["javascript:alert(1)", "/"],
  ]) {
    test(`to ${where} where ${JSON.stringify(asked)} is asked for`, () => {
      assert.equal(destination(`?reason=expired&next=${encodeURIComponent(asked)}`), where);
    });
  }

  test("to the dashboard where nothing is asked for", () => {
    assert.equal(destination("?reason=expired"), "/");
  });
});

describe("a link that serves once", () => {
  const ORIGIN = "http://localhost:8000";

  test("loses its invitation and keeps the rest", () => {
    assert.deepEqual(oneTimeLink(`${ORIGIN}/?reason=expired&invitation=a-b_c`), {
      invitation: "a-b_c",
      recovery: null,
      address: "/?reason=expired",
    });
  });

  test("loses its token behind the #", () => {
    assert.deepEqual(oneTimeLink(`${ORIGIN}/#recover=a-b_c`), {
      invitation: null,
      recovery: "a-b_c",
      address: "/",
    });
  });

  test("is none without a token", () => {
    assert.deepEqual(oneTimeLink(`${ORIGIN}/settings?invitation=#sessions`), {
      invitation: null,
      recovery: null,
      address: "/settings#sessions",
    });
  });
});

describe("an error", () => {
  test("says how many minutes the seconds of its message are", () => {
    const error = { code: "too_many_tries", message: "Try again in 540 s.", retryAfterSeconds: 540 };

    assert.equal(withAdvice(error), "Try again in 540 s. That is 9 min.");
  });

  test("of few seconds needs no minutes", () => {
    const error = { code: "busy", message: "Try again.", retryAfterSeconds: 5 };

    assert.equal(withAdvice(error), "Try again.");
  });

  test("tells the box for a key that can trade", () => {
    const error = { code: "trading_key_unconfirmed", message: "It trades.", retryAfterSeconds: null };

    assert.match(withAdvice(error), /^It trades\. .*tick the box/);
  });
});

describe("what the browser says of a passkey", () => {
  test("that the person did not want is no error", () => {
    const error = told(new DOMException("", "NotAllowedError"));

    assert.ok(error instanceof Cancelled);
    assert.match(error.message, /Try again/);
  });

  for (const [name, words] of [
    ["InvalidStateError", /already keeps/],
    ["SecurityError", /no passkeys at this address/],
    ["NotSupportedError", /can't keep/],
    ["UnknownError", /\(UnknownError\)/],
  ]) {
    test(`as ${name} is told in words`, () => {
      const error = told(new DOMException("", name));

      assert.ok(error instanceof PasskeyFailed);
      assert.match(error.message, words);
    });
  }

  test("is told as it is when it is not the browser's", () => {
    const error = new RangeError("a bug");

    assert.equal(told(error), error);
  });
});
