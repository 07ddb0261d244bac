// @ts-check
/**
 * The controls of the list: the order, the heads of the columns, the filter, the menu "View".
 */

import { COLUMN_NAMES, columnsIn, tracksOf } from "../list/columns.js";
import { isOrder } from "../list/orders.js";
import { part } from "./template.js";

/** @typedef {import("../list/choices.js").ListChoices} ListChoices */

/**
 * @param {HTMLElement} panel
 * @param {ListChoices} choices changed in place
 * @param {() => void} changed
 * @param {AbortSignal} signal ends it
 */
export function bindListView(panel, choices, changed, signal) {
  const { order, filter, boxes, clear } = controls(panel);
  order.addEventListener(
    "change",
    () => {
      if (!isOrder(order.value)) return;
      choices.take({ ...choices.kept, order: order.value, isReversed: false });
      changed();
    },
    { signal },
  );
  for (const head of heads(panel)) {
    head.addEventListener(
      "click",
      () => {
        if (!isOrder(head.dataset.order)) return;
        choices.sortBy(head.dataset.order);
        changed();
      },
      { signal },
    );
  }
  const find = () => {
    choices.filter = filter.value;
    changed();
  };
  filter.addEventListener("input", find, { signal });
  clear?.addEventListener(
    "click",
    () => {
      filter.value = "";
      choices.take({ ...choices.kept, hidesSmall: false });
      find();
      // The button has gone with the sentence around it.
      filter.focus();
    },
    { signal },
  );
  for (const box of boxes) {
    box.addEventListener(
      "change",
      () => {
        choices.take({ ...choices.kept, ...chosenIn(boxes) });
        changed();
      },
      { signal },
    );
  }
  const resized = new ResizeObserver(() => showColumns(panel, choices));
  resized.observe(part(panel, ".panel-heads"));
  signal.addEventListener("abort", () => resized.disconnect());
}

/** Let the controls say what is chosen. @param {HTMLElement} panel @param {ListChoices} choices */
export function showListView(panel, choices) {
  const { order, boxes } = controls(panel);
  const { isReversed, hiddenColumns } = choices.kept;
  order.value = choices.order;
  for (const box of boxes) {
    if (box.name === "column") box.checked = !hiddenColumns.includes(box.value);
    if (box.name === "isGrouped") box.checked = choices.kept.isGrouped;
    if (box.name === "hidesSmall") box.checked = choices.kept.hidesSmall;
  }
  for (const head of heads(panel)) {
    const isSorted = head.dataset.order === choices.order;
    head.setAttribute("aria-pressed", String(isSorted));
    head.dataset.way = isSorted ? (isReversed ? "reversed" : "usual") : "";
  }
  showColumns(panel, choices);
}

/**
 * The columns that are wanted and that there is room for.
 *
 * @param {HTMLElement} panel
 * @param {ListChoices} choices
 */
function showColumns(panel, choices) {
  const columns = columnsIn({
    ...roomIn(part(panel, ".panel-heads")),
    hidden: choices.kept.hiddenColumns,
    sorted: choices.order === "closing" ? "closes" : choices.order,
  });
  panel.style.setProperty("--columns", `${tracksOf(columns)} var(--pin-room)`);
  const absent = COLUMN_NAMES.filter((name) => !columns.includes(name));
  panel.dataset.hiddenColumns = absent.join(" ");
}

/** What a row has beside its padding and the pin. @param {HTMLElement} row */
function roomIn(row) {
  const style = getComputedStyle(row);
  const pixels = (/** @type {string} */ name) => parseFloat(style.getPropertyValue(name)) || 0;
  const gap = pixels("column-gap");
  const taken = pixels("padding-left") + pixels("padding-right") + gap + pixels("--pin-room");
  return { room: row.clientWidth - taken, gap };
}

/** @param {HTMLInputElement[]} boxes */
function chosenIn(boxes) {
  const isChecked = (/** @type {string} */ name) =>
    boxes.some((box) => box.name === name && box.checked);
  const columns = boxes.filter((box) => box.name === "column" && !box.checked);
  return {
    isGrouped: isChecked("isGrouped"),
    hidesSmall: isChecked("hidesSmall"),
    hiddenColumns: columns.map(({ value }) => value),
  };
}

/** @param {HTMLElement} panel */
function controls(panel) {
  return {
    order: /** @type {HTMLSelectElement} */ (panel.querySelector("#order")),
    filter: /** @type {HTMLInputElement} */ (panel.querySelector("#filter")),
    clear: panel.querySelector("[data-action=clear]"),
    boxes: /** @type {HTMLInputElement[]} */ ([...panel.querySelectorAll(".view-menu input")]),
  };
}

/** @param {HTMLElement} panel @returns {NodeListOf<HTMLElement>} */
function heads(panel) {
  return panel.querySelectorAll(".panel-heads [data-order]");
}
