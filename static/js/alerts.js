// @ts-check
/**
 * What went wrong, told at the place where it went wrong. One at a time: of two alerts on a page
 * nobody knows which of them is the last.
 */

/** Ends the blame on the fields that the last alert was about. @type {AbortController | null} */
let blame = null;

/**
 * @param {HTMLElement} alert with `role="alert"`; hidden while there is nothing to tell
 * @param {string} text
 * @param {readonly string[]} [ids] of the fields that it is about, some of which are on this page
 * @returns {HTMLElement | null} the first of them, which is to be put right
 */
export function tell(alert, text, ids = []) {
  takeBack();
  alert.textContent = text;
  alert.hidden = !text;
  const fields = ids.map((id) => document.getElementById(id)).filter((field) => field !== null);
  if (fields.length > 0) blame = blameOn(fields, alert);
  return fields[0] ?? null;
}

/**
 * Until one of them is changed: of several nobody knows which is wrong, so that may have been it.
 *
 * The text stays, for who reads it again while they mend.
 *
 * @param {HTMLElement[]} fields
 * @param {HTMLElement} alert
 */
function blameOn(fields, alert) {
  const over = new AbortController();
  alert.id ||= `alert-at-${fields[0].id}`;
  for (const field of fields) {
    const described = field.getAttribute("aria-describedby");
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", `${alert.id} ${described ?? ""}`.trim());
    over.signal.addEventListener("abort", () => {
      field.removeAttribute("aria-invalid");
      if (described) field.setAttribute("aria-describedby", described);
      else field.removeAttribute("aria-describedby");
    });
    field.addEventListener("input", () => over.abort(), { signal: over.signal });
  }
  return over;
}

export function takeBack() {
  blame?.abort();
  blame = null;
  for (const alert of document.querySelectorAll("[role=alert]")) {
    alert.textContent = "";
    /** @type {HTMLElement} */ (alert).hidden = true;
  }
}
