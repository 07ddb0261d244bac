import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { ApiError } from "../../static/js/api.js";
import { Asking } from "../../static/js/detail/asking.js";
import { Drafts } from "../../static/js/detail/drafts.js";
import { heldQuote, yesQuote } from "../../static/js/quote.js";
import {
  fillText,
  formulaText,
  isSaleOf,
  outcomeName,
  saleText,
  tradeEndText,
} from "../../static/js/detail/words.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

/** Let what is promised come. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

// Quotes --------------------------------------------------------------------------------------

const quoted = { yes_bid: "0.57", yes_bid_size: "200", yes_ask: "0.605", yes_ask_size: "30.5" };

test("NO is bid for at what YES asks leaves of the dollar, with its size", () => {
  assert.deepEqual(heldQuote({ side: "no", ...quoted }), {
    bid: "0.395",
    bid_size: "30.5",
    ask: "0.43",
    ask_size: "200",
    spread: "0.035",
  });
  assert.deepEqual(heldQuote({ side: "yes", ...quoted }), yesQuote(quoted));
});

test("a side that nobody quotes has no spread", () => {
  const { bid, ask, spread } = heldQuote({ side: "no", ...quoted, yes_bid: null });

  assert.deepEqual([bid, ask, spread], ["0.395", null, null]);
});

// Sentences -----------------------------------------------------------------------------------

const sale = {
  count: "120",
  average_price: "0.56",
  worst_price: "0.55",
  fee: "2.07",
  cash_flow: "65.13",
  left: "0",
};
const position = { quantity: "120", exposure: "64.8" };

test("a sale says what it fetches, and what that is beside the cost", () => {
  assert.equal(
    saleText(sale, position),
    "Selling all 120 at once, down to a bid of 55¢, would fetch $65.13 after $2.07 of fees: " +
      "$0.33 more than the contracts cost.",
  );
  assert.match(saleText(sale, { ...position, exposure: "70" }), /\$4\.87 less than/);
});

test("a sale is of what is held when all of that is in it", () => {
  const isOf = (quantity, change = {}) => isSaleOf({ ...sale, ...change }, { quantity });

  assert.equal(isOf("120"), true);
  assert.equal(isOf("-120.00"), true);
  assert.equal(isOf("120", { count: "100", left: "20" }), true);
  // 100 of them were sold since.
  assert.equal(isOf("20"), false);
  assert.equal(isSaleOf(undefined, { quantity: "120" }), false);
});

test("a sale of a part says what nobody bids for, and compares it with no cost", () => {
  const text = saleText({ ...sale, count: "100", left: "20" }, position);

  assert.match(text, /^Of 120 contracts 100 are bid for, .* the other 20\.$/);
  assert.doesNotMatch(text, /cost/);
});

test("a sale to nobody, or at a fee nobody knows, is said as that", () => {
  const nothing = { ...sale, count: "0", average_price: null, worst_price: null, left: "120" };

  assert.equal(saleText(nothing, position), "Nobody bids for these contracts now.");
  assert.match(saleText({ ...sale, fee: null, cash_flow: null }, position), /no published formula/);
});

test("what was bought of the other side is told as the sale that it was", () => {
  const fill = { side: "no", count: "10", closed_count: "10", price: "0.45" };

  assert.equal(fillText(fill), "Sold 10 YES at 55¢");
  assert.equal(fillText({ ...fill, closed_count: "0" }), "Bought 10 NO at 45¢");
  assert.equal(fillText({ ...fill, closed_count: null }), "Bought 10 NO at 45¢");
  assert.equal(fillText({ ...fill, closed_count: "4" }), "Sold 4 YES at 55¢, bought 6 NO at 45¢");
});

test("a trade ends as its holder sees it", () => {
  const ended = { side: "no", closed_at: "2026-11-23T12:00:00Z" };

  assert.equal(tradeEndText({ ...ended, closed_at: null, result: null }), "open");
  assert.equal(tradeEndText({ ...ended, result: null }), "sold");
  assert.equal(tradeEndText({ ...ended, result: "no" }), "won");
  assert.equal(tradeEndText({ ...ended, result: "yes" }), "lost");
  assert.equal(tradeEndText({ ...ended, result: "scalar" }), "settled");
});

test("a formula is written as people write it", () => {
  assert.equal(
    formulaText("round6((exposure + fees_paid - realized_pnl) / abs(quantity))"),
    "rounded((exposure + fees paid − realized P&L) / |quantity|)",
  );
});

test("an outcome is called by what YES is about, else by its code", () => {
  assert.equal(outcomeName("T-1", { outcome: "51° or above" }), "51° or above");
  assert.equal(outcomeName("T-1", { outcome: "below 51°", yes_outcome: "51° or above" }), "51° or above");
  assert.equal(outcomeName("T-1", undefined), "T-1");
  assert.equal(outcomeName("none_of_these", undefined), "None of these");
});

// Questions -----------------------------------------------------------------------------------

/** A server whose answers come when the test says. */
function slowServer() {
  const questions = [];
  const ask = (path, signal) =>
    new Promise((answer, fail) => questions.push({ path, signal, answer, fail }));
  return { questions, ask };
}

test("who steps through a list asks about where they stop", async () => {
  const { questions, ask } = slowServer();
  const asking = new Asking(() => {}, ask);

  for (const path of ["a", "b", "c", "c"]) asking.want(path);
  mock.timers.tick(1000);

  assert.deepEqual(
    questions.map(({ path }) => path),
    ["c"],
  );
});

test("an answer about what is no more wanted changes nothing", async () => {
  const { questions, ask } = slowServer();
  const shown = [];
  const asking = new Asking(({ answer }) => shown.push(answer), ask);
  asking.want("a");
  mock.timers.tick(1000);
  asking.want("b");
  mock.timers.tick(1000);

  questions[0].answer("old");
  questions[1].answer("new");
  await settled();

  assert.equal(questions[0].signal.aborted, true);
  assert.deepEqual(shown, [undefined, undefined, "new"]);
});

test("what changes while it is asked for is asked for once more, not at the same time", async () => {
  const { questions, ask } = slowServer();
  const asking = new Asking(() => {}, ask);
  asking.want("a");
  mock.timers.tick(1000);

  asking.renew();
  asking.renew();
  assert.equal(questions.length, 1);
  questions[0].answer("one");
  await settled();

  assert.equal(questions.length, 2);
});

test("a failure keeps what was known and says why there is none newer", async () => {
  const { questions, ask } = slowServer();
  const shown = [];
  const asking = new Asking((known) => shown.push(known), ask);
  asking.want("a");
  mock.timers.tick(1000);
  questions[0].answer("known");
  await settled();

  asking.renew();
  questions[1].fail(new ApiError(503, "unavailable", "Not now."));
  await settled();

  const { answer, error } = shown.at(-1);
  assert.deepEqual([answer, error.message], ["known", "Not now."]);
  assert.equal(shown.at(-1).askedAt, shown.at(-2).askedAt, "the answer is as old as before");
});

/** Ask for `a`, and let that fail. */
async function failing(status, retryAfter = null, before = () => {}) {
  const { questions, ask } = slowServer();
  const shown = [];
  const asking = new Asking((known) => shown.push(known), ask);
  asking.want("a");
  mock.timers.tick(80);
  before(asking);
  questions[0].fail(new ApiError(status, "", "Not now.", retryAfter));
  await settled();
  return { questions, shown, asking };
}

for (const status of [0, 429, 500, 503]) {
  test(`a question that fails with ${status} is asked again, until it is answered`, async () => {
    const { questions, shown } = await failing(status);

    mock.timers.tick(4_999);
    assert.equal(questions.length, 1);
    mock.timers.tick(1);
    questions[1].fail(new ApiError(status, "", "Not yet."));
    await settled();
    // Ever later.
    mock.timers.tick(9_999);
    assert.equal(questions.length, 2);
    mock.timers.tick(1);
    questions[2].answer("at last");
    await settled();
    mock.timers.tick(60_000);

    assert.equal(questions.length, 3);
    const { answer, error } = shown.at(-1);
    assert.deepEqual([answer, error], ["at last", null]);
  });
}

test("who is asked to wait longer is not asked before", async () => {
  const { questions } = await failing(429, 30);

  mock.timers.tick(29_999);
  assert.equal(questions.length, 1);
  mock.timers.tick(1);
  assert.equal(questions.length, 2);
});

test("a refusal is not asked about again, unless something has changed meanwhile", async () => {
  const { questions } = await failing(404);
  mock.timers.tick(60_000);
  assert.equal(questions.length, 1);

  const changed = await failing(404, null, (asking) => asking.renew());
  assert.equal(changed.questions.length, 2);
});

test("a change that comes while a question fails is asked for with the next try, once", async () => {
  const { questions } = await failing(503, null, (asking) => asking.renew());
  assert.equal(questions.length, 1);

  mock.timers.tick(5_000);
  questions[1].answer("newer");
  await settled();
  mock.timers.tick(60_000);

  assert.equal(questions.length, 2);
});

test("what failed is not asked for again once it is renewed, or something else is wanted", async () => {
  const renewed = await failing(503);
  renewed.asking.renew();
  mock.timers.tick(60_000);
  assert.equal(renewed.questions.length, 2);

  const left = await failing(503);
  left.asking.want("b");
  mock.timers.tick(60_000);
  assert.deepEqual(left.questions.map(({ path }) => path), ["a", "b"]);

  const ended = await failing(503);
  ended.asking.end();
  mock.timers.tick(60_000);
  assert.equal(ended.questions.length, 1);
});

// Notes ---------------------------------------------------------------------------------------

test("a note is saved when its writer pauses, once", async () => {
  const saved = [];
  const drafts = new Drafts(async (key, text) => void saved.push([key, text]), () => {});

  drafts.write("a", "S");
  mock.timers.tick(500);
  drafts.write("a", "Sell");
  mock.timers.tick(2000);
  await settled();

  assert.deepEqual(saved, [["a", "Sell"]]);
  assert.equal(drafts.of("a").state, "saved");
});

test("what the server has does not replace what was written since", async () => {
  const drafts = new Drafts(async () => {}, () => {});
  drafts.learn("a", "old", 0);
  drafts.write("a", "new");
  drafts.learn("a", "old", performance.now());
  assert.equal(drafts.of("a").text, "new");

  await drafts.save("a");
  drafts.learn("a", "newer, by another browser", performance.now() + 1);

  assert.equal(drafts.of("a").text, "newer, by another browser");
});

test("an answer that was asked for before a note was saved knows nothing of it", async () => {
  let now = 0;
  const drafts = new Drafts(async () => {}, () => {}, () => now);
  drafts.learn("a", "", 0);
  drafts.write("a", "Sell");
  now = 2;
  await drafts.save("a");

  drafts.learn("a", "", 1);
  assert.equal(drafts.of("a").text, "Sell");
  drafts.learn("a", "Sell above 70¢", 3);
  assert.equal(drafts.of("a").text, "Sell above 70¢");
});

test("a note that is not saved keeps its text and the reason, and is saved the next time", async () => {
  let isDown = true;
  const drafts = new Drafts(
    async () => {
      if (isDown) throw new Error("Not now.");
    },
    () => {},
  );
  drafts.write("a", "Sell");
  await drafts.save("a");
  assert.deepEqual(drafts.of("a"), { text: "Sell", state: "failed", why: "Not now." });

  isDown = false;
  await drafts.save("a");

  assert.equal(drafts.of("a").state, "saved");
});

test("what is written while the one before is saved is not lost", async () => {
  const { promise, resolve } = Promise.withResolvers();
  const saved = [];
  const drafts = new Drafts(
    (_, text) => {
      saved.push(text);
      return promise;
    },
    () => {},
  );
  drafts.write("a", "Sell");
  const saving = drafts.save("a");

  drafts.write("a", "Sell above 70¢");
  mock.timers.tick(2000);
  assert.deepEqual(saved, ["Sell"], "two at once might come in the wrong order");
  resolve();
  await saving;
  assert.equal(drafts.of("a").state, "written");
  mock.timers.tick(2000);
  await settled();

  assert.deepEqual(saved, ["Sell", "Sell above 70¢"]);
});
