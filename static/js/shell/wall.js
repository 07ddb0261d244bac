// @ts-check
/**
 * The wall view: the sums and the list, large, on a screen that nobody touches.
 */

import { part } from "../elements/template.js";

export function bindWall() {
  const root = document.documentElement;
  part(document, "#wall").addEventListener("click", async () => {
    part(document, "#display-menu").hidePopover();
    root.toggleAttribute("data-wall", true);
    try {
      await root.requestFullscreen();
    } catch {
      // A browser without full screen: the view is the same, and Esc ends it.
    }
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) root.toggleAttribute("data-wall", false);
  });
  // In full screen the browser takes this key, and tells by the event above.
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape") root.toggleAttribute("data-wall", false);
  });
}
