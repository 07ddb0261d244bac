// @ts-check
/**
 * The wall view: the sums and the list, large, on a screen that nobody touches. Its own button ends
 * it where there is neither a key nor full screen.
 */

import { part } from "../elements/template.js";

export function bindWall() {
  const root = document.documentElement;
  const exit = part(document, ".wall-exit");
  const opener = part(document, "[popovertarget=display-menu]");

  part(document, "#wall").addEventListener("click", async () => {
    part(document, "#display-menu").hidePopover();
    root.toggleAttribute("data-wall", true);
    // What opened it is out of sight.
    exit.focus();
    try {
      await root.requestFullscreen();
    } catch {
      // A phone's browser has no full screen for pages, others refuse it: the view is the same.
    }
  });
  exit.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    leave();
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) leave();
  });
  // In full screen the browser takes this key, and tells by the event above.
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape") leave();
  });

  function leave() {
    if (!root.hasAttribute("data-wall")) return;
    root.removeAttribute("data-wall");
    opener.focus();
  }
}
