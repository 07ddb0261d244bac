// @ts-check
/**
 * What went wrong, told at the place where it went wrong. One at a time: of two alerts on a page
 * nobody knows which of them is the last.
 */

/**
 * @param {HTMLElement} alert with `role="alert"`; hidden while there is nothing to tell
 * @param {string} text
 */
export function tell(alert, text) {
  takeBack();
  alert.textContent = text;
  alert.hidden = !text;
}

export function takeBack() {
  for (const alert of document.querySelectorAll("[role=alert]")) {
    alert.textContent = "";
    /** @type {HTMLElement} */ (alert).hidden = true;
  }
}
