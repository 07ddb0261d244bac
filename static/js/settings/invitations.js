// @ts-check
/**
 * Links by which staff let others in.
 */

import { post } from "../api.js";
import { part } from "../elements/template.js";
import { dateTime } from "../format.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @param {Desk} desk */
export function bindInvitations(desk) {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("#people"));
  if (!place) return; // not of the staff
  /** @type {HTMLInputElement} */
  const isStaff = part(place, "#invite-staff");
  const shown = part(place, "#invitation-made");
  /** @type {HTMLInputElement} */
  const url = part(place, "#invitation-url");
  const copied = part(document, ".saying");

  part(place, "form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const isForStaff = isStaff.checked;
    shown.hidden = true;
    url.value = "";
    await desk.do({
      at: place,
      async act() {
        const made = await post("invitations", { staff: isForStaff });
        url.value = made.url;
        part(place, "#invitation-expiry").textContent =
          `Lets one person in${isForStaff ? ", as one of the staff" : ""}; ` +
          `good until ${dateTime(made.expires_at)}.`;
      },
      done: "The link is made. It is shown this once.",
    });
    // Even if something went wrong after it was made: it can't be had again.
    shown.hidden = !url.value;
    url.select();
  });
  part(place, "#copy-invitation").addEventListener("click", () => {
    url.select();
    // Our policy keeps the newer way off, which could read the clipboard's neighbours too. What is
    // selected can be copied by hand as well.
    const isCopied = document.execCommand("copy");
    copied.textContent = isCopied ? "Copied." : "The link is selected: copy it by hand.";
  });
}
