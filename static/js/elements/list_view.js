// @ts-check
/**
 * The controls of the list: the order, the heads of the columns, the filter, the menu "View".
 */

import { isOrder } from "../list/orders.js";

/** @typedef {import("../list/choices.js").ListChoices} ListChoices */

/** The table's columns beside the position itself, and the room each takes. */
const COLUMNS = {
  quantity: "minmax(60px, 0.6fr)",
  average: "minmax(56px, 0.6fr)",
  mark: "minmax(104px, 1fr)",
  value: "minmax(84px, 0.9fr)",
  pnl: "minmax(96px, 1fr)",
  percent: "minmax(60px, 0.6fr)",
  day: "minmax(84px, 0.9fr)",
  closes: "minmax(84px, 0.8fr)",
};

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
  const shown = Object.entries(COLUMNS).filter(([name]) => !hiddenColumns.includes(name));
  const columns = shown.map(([name, width]) => `[${name}] ${width}`);
  // The last, without a name, is room for the pin.
  panel.style.setProperty("--columns", ["minmax(180px, 4fr)", ...columns, "6px"].join(" "));
  panel.dataset.hiddenColumns = hiddenColumns.join(" ");
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
