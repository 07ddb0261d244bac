import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { ApiError, get, patch, post, refusalOf, remove } from "../../static/js/api.js";

/** The limits that calls have asked for, in milliseconds, each with the hand that ends it. */
let limits;
let answer;

/** A server that never answers: as in a browser, only the limit ends the call. */
const silence = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

const reply = (status, body, headers = {}) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status, headers });

beforeEach(() => {
  limits = [];
  mock.method(AbortSignal, "timeout", (milliseconds) => {
    const limit = new AbortController();
    limits.push({ milliseconds, run: () => limit.abort(new DOMException("", "TimeoutError")) });
    return limit.signal;
  });
  globalThis.document = { cookie: "csrftoken=abc" };
  mock.method(globalThis, "fetch", async (url, options) => answer(options.signal, url, options));
});

afterEach(() => {
  mock.restoreAll();
  delete globalThis.document;
});

describe("a call", () => {
  test("that is answered with success is done", async () => {
    let asked;
    answer = (_, url, options) => {
      asked = [url, options.headers["X-CSRFToken"], options.body];
      return reply(204);
    };

    await post("logout", { forget: false });

    assert.deepEqual(asked, ["/api/v1/account/logout", "abc", '{"forget":false}']);
  });

  test("gives what the server answered", async () => {
    answer = () => reply(200, { user_id: 7 });

    assert.deepEqual(await post("login", {}), { user_id: 7 });
    assert.deepEqual(await get("session"), { user_id: 7 });
  });

  test("that only asks carries no token, and others do", async () => {
    const asked = [];
    answer = (_, url, { method = "GET", headers, body }) => {
      asked.push([method, url, headers?.["X-CSRFToken"], body]);
      return reply(204);
    };

    await get("sessions");
    await patch("accounts/1", { name: "mine" });
    await remove("accounts/1");

    assert.deepEqual(asked, [
      ["GET", "/api/v1/account/sessions", undefined, undefined],
      ["PATCH", "/api/v1/account/accounts/1", "abc", '{"name":"mine"}'],
      ["DELETE", "/api/v1/account/accounts/1", "abc", undefined],
    ]);
  });

  test("whose success is no JSON says so", async () => {
    answer = () => new Response("<html>", { status: 200 });

    await assert.rejects(get("session"), { name: "ApiError", status: 200, code: "unexpected" });
  });

  test("that the server refuses fails with the server's words", async () => {
    const error = { code: "throttled", message: "Too many tries." };
    answer = () => reply(429, { error }, { "Retry-After": "60" });

    await assert.rejects(post("authenticate"), {
      ...error,
      name: "ApiError",
      status: 429,
      retryAfterSeconds: 60,
    });
  });

  test("that can't reach the server says so", async () => {
    answer = () => {
      throw new TypeError("failed to fetch");
    };

    await assert.rejects(post("refresh"), { status: 0, code: "network" });
  });

  for (const [args, seconds] of [
    [["refresh"], 10],
    [["authenticate", {}, 30], 30],
  ]) {
    test(`that is not answered ends after ${seconds} s`, async () => {
      answer = silence;

      const call = post(...args);
      assert.equal(limits[0].milliseconds, seconds * 1000);
      limits[0].run();

      await assert.rejects(call, (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.code, "timeout");
        assert.match(error.message, new RegExp(`has not answered in ${seconds} s`));
        return true;
      });
    });
  }

  test("ends too when only the answer's head came", async () => {
    const stuck = (signal) =>
      new ReadableStream({
        start: (body) => signal.addEventListener("abort", () => body.error(signal.reason)),
      });
    answer = (signal) => new Response(stuck(signal), { status: 502 });

    const call = post("refresh");
    limits[0].run();

    await assert.rejects(call, { status: 502, code: "unexpected" });
  });
});

describe("a refused stream", () => {
  test("tells why, in the server's words", async () => {
    answer = () =>
      new Response('{"error": {"code": "too_many_streams", "message": "Close a tab."}}', {
        status: 429,
        headers: { "Retry-After": "10" },
      });

    const refusal = await refusalOf("/sse/positions");

    assert.equal(refusal.status, 429);
    assert.equal(refusal.message, "Close a tab.");
  });

  test("that would be let in by now is left at once", async () => {
    let isLeft = false;
    const body = new ReadableStream({ cancel: () => void (isLeft = true) });
    answer = () => new Response(body);

    assert.equal(await refusalOf("/sse/positions"), null);
    assert.equal(isLeft, true);
  });

  test("is told as a server that doesn't answer, after 10 s", async () => {
    answer = silence;

    const asking = refusalOf("/sse/positions");
    assert.equal(limits[0].milliseconds, 10_000);
    limits[0].run();

    assert.equal((await asking).code, "timeout");
  });
});
