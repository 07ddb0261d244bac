// @ts-check
/**
 * On paper all positions are there, as a table: the list on the screen holds only those in sight.
 */

import { figureText } from "../figures.js";
import { dateTime } from "../format.js";
import { closingTimes } from "../words/closing_time.js";
import { outcomeText } from "../words/outcome.js";

/** @typedef {import("../types.js").Position} Position */

/** @type {[string, (position: Position) => string][]} */
const COLUMNS = [
  ["Position", ({ title, ticker }) => title ?? ticker],
  ["Outcome", (position) => outcomeText(position).whole],
  ...figures({
    Contracts: "quantity",
    Average: "average_price",
    Mark: "mark",
    Value: "market_value",
    "P&L": "unrealized_pnl",
    "%": "unrealized_pnl_percent",
    Today: "day_pnl",
  }),
  ["Decided", closingTimes],
];

/**
 * Have a table of all positions in the document while it is printed.
 *
 * @param {() => Iterable<Position>} positions those of the accounts that are looked at, in order
 * @param {() => readonly (string | null)[]} asOf when their accounts' figures last changed
 */
export function printPositions(positions, asOf) {
  /** @type {HTMLElement | null} */
  let printed = null;
  addEventListener("beforeprint", () => {
    printed?.remove();
    printed = tableOf(positions(), ageText(asOf()));
    document.body.append(printed);
  });
  addEventListener("afterprint", () => printed?.remove());
}

/**
 * What is said of the figures' age: of several accounts they are as old as the oldest.
 *
 * @param {readonly (string | null)[]} times null of an account that has none yet
 */
export function ageText(times) {
  const [oldest] = times.filter((time) => time !== null).sort();
  return oldest ? `Figures as of ${dateTime(oldest)}.` : "No figures yet.";
}

/** @param {Iterable<Position>} positions @param {string} age */
function tableOf(positions, age) {
  const section = document.createElement("section");
  section.className = "printed";
  const table = document.createElement("table");
  table.createCaption().textContent = `${age} Printed ${dateTime(new Date().toISOString())}.`;
  const head = table.createTHead().insertRow();
  for (const [name] of COLUMNS) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const position of positions) {
    const row = body.insertRow();
    for (const [, text] of COLUMNS) row.insertCell().textContent = text(position);
  }
  section.append(table);
  return section;
}

/** @param {Record<string, string>} fields @returns {[string, (position: Position) => string][]} */
function figures(fields) {
  return Object.entries(fields).map(([name, field]) => [
    name,
    (position) => figureText(field, /** @type {Record<string, any>} */ (position)[field] ?? null),
  ]);
}
