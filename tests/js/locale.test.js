import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { dateTime, dollars, figure, percentage, profit, quote } from "../../static/js/format.js";
import { locale, useLocale } from "../../static/js/locale.js";

beforeEach(() => useLocale("en-US"));
afterEach(() => useLocale("en-US"));

describe("numbers in other languages", () => {
  for (const [tag, expected] of [
    ["en-US", ["▼ −$1,234.50", "4.5¢", "+5.6\u00a0%", "$0.003"]],
    ["de-DE", ["▼ −$1.234,50", "4,5¢", "+5,6\u00a0%", "$0,003"]],
    ["fr-FR", ["▼ −$1\u202f234,50", "4,5¢", "+5,6\u00a0%", "$0,003"]],
    ["en-IN", ["▼ −$1,234.50", "4.5¢", "+5.6\u00a0%", "$0.003"]],
    ["ar-EG", ["▼ −$1,234.50", "4.5¢", "+5.6\u00a0%", "$0.003"]],
  ]) {
    test(`${tag} parts the digits its way, and keeps sign, $ and ¢ where they are`, () => {
      useLocale(tag);

      assert.deepEqual(
        [profit("-1234.5"), quote("0.045"), percentage("5.6"), dollars("0.003")],
        expected,
      );
    });
  }

  test("exact digits stay exact, however many there are", () => {
    useLocale("de-DE");

    assert.equal(dollars("90071992547409931234.565"), "$90.071.992.547.409.931.234,57");
  });

  test("privacy mode hides all digits, whatever parts them", () => {
    for (const tag of ["en-US", "de-DE", "fr-FR", "de-CH", "ar-EG"]) {
      useLocale(tag);
      assert.equal(figure("total_value", "1234567.10", true), "$•••", tag);
      assert.equal(figure("unrealized_pnl", "-1234.56", true), "▼ −$•••", tag);
      assert.equal(figure("mark", "0.045", true), "•••¢", tag);
    }
  });
});

describe("dates in other languages", () => {
  const at = new Date(2026, 10, 24, 12, 3, 22).toISOString();

  test("they follow the same choice, with the time zone said", () => {
    const zone = /[A-Z]{2,}|GMT[+−-]\d/;

    assert.match(dateTime(at), /^Nov 24, 2026, 12:03:22 /);
    assert.match(dateTime(at), zone);
    useLocale("de-DE");
    assert.match(dateTime(at), /^24\. Nov\. 2026, 12:03:22 /);
    assert.match(dateTime(at), zone);
  });
});

describe("the choice of a locale", () => {
  test("the system's is that of the browser", () => {
    useLocale("system");

    assert.equal(locale(), globalThis.navigator?.language ?? "en-US");
  });

  for (const choice of ["", "no such tag", "x", "zz-ZZ"]) {
    test(`“${choice}”, which is none, falls back to the system's`, () => {
      useLocale(choice);

      assert.equal(locale(), globalThis.navigator?.language ?? "en-US");
    });
  }
});
