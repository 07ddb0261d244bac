// @ts-check
/**
 * The keys that work everywhere on the page.
 */

import { part } from "../elements/template.js";
import { chosenIn } from "../position_address.js";

/** @param {import("../elements/position-panel.js").PositionPanel} panel */
export function bindKeys(panel) {
  /** @type {HTMLInputElement} */
  const filter = part(panel, "#filter");
  /** @type {HTMLDialogElement} */
  const help = part(document, "#keys");

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") leave();
    if (isTyping(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      filter.focus();
      filter.select();
    } else if (event.key === "?") help.showModal();
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      panel.focusCard();
    } else if (event.key === "Enter") {
      event.preventDefault();
      panel.chooseFirst();
    } else if (event.key === "Escape" && filter.value) {
      event.preventDefault();
      clear();
    }
  });

  function clear() {
    filter.value = "";
    filter.dispatchEvent(new Event("input"));
  }

  /** From the detail to the list, which is all there is where it is narrow; then to all of the list. */
  function leave() {
    if (document.querySelector("dialog[open], :popover-open")) return;
    if (document.activeElement === filter) panel.focusCard();
    // The page follows the address a moment later: who presses twice at once means the next step.
    else if (chosenIn(location.hash)) location.hash = "#/";
    else if (filter.value) clear();
  }
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
}
