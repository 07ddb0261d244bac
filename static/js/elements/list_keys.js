// @ts-check
/**
 * The keys of the list: they move through all rows, in the document or not.
 */

/** How many rows PageUp and PageDown pass. */
const PAGE = 8;

/**
 * @param {import("./position-panel.js").PositionPanel} panel
 * @param {import("./rows.js").Rows} rows
 * @param {AbortSignal} signal ends it
 */
export function bindListKeys(panel, rows, signal) {
  const list = panel.querySelector(".panel-rows");
  list?.addEventListener("keydown", (event) => press(/** @type {KeyboardEvent} */ (event)), { signal });

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = stepOf(event.key);
    if (step) {
      event.preventDefault();
      rows.focusAt(step(rows.here));
      panel.follow();
    } else if (event.key === "p") panel.pin(rows.stop);
    else if (event.key === "o") panel.showPayouts(rows.element(rows.stop));
    else if (event.key === "Delete") panel.dismiss(rows.stop);
  }
}

/** @param {string} key @returns {((here: number) => number) | undefined} */
function stepOf(key) {
  switch (key) {
    case "ArrowDown":
      return (here) => here + 1;
    case "ArrowUp":
      return (here) => here - 1;
    case "PageDown":
      return (here) => here + PAGE;
    case "PageUp":
      return (here) => here - PAGE;
    case "Home":
      return () => 0;
    case "End":
      return () => Infinity;
    default:
      return undefined;
  }
}
