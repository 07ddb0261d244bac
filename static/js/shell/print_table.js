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
 * @param {() => string} asOf what is said of their age
 */
export function printPositions(positions, asOf) {
  /** @type {HTMLElement | null} */
  let printed = null;
  addEventListener("beforeprint", () => {
    printed?.remove();
    printed = tableOf(positions(), asOf());
    document.body.append(printed);
  });
  addEventListener("afterprint", () => printed?.remove());
}

/** @param {Iterable<Position>} positions @param {string} asOf */
function tableOf(positions, asOf) {
  const section = document.createElement("section");
  section.className = "printed";
  const table = document.createElement("table");
  table.createCaption().textContent = `${asOf} Printed ${dateTime(new Date().toISOString())}.`;
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
