// @ts-check
/**
 * The colours of the page for what is drawn on a canvas, and word of when they change.
 */

const TOKENS = /** @type {const} */ ({
  text: "--text",
  muted: "--muted",
  line: "--line",
  accent: "--accent",
  gain: "--gain",
  loss: "--loss",
  warning: "--warning",
  surface: "--surface",
});

/** @typedef {Record<keyof typeof TOKENS, string>} Colours */

/**
 * The tokens as the theme has them now. A token itself may read `light-dark(…)`, which a canvas does
 * not take: only as the colour of something is it resolved.
 *
 * @param {Element} element below which they hold
 * @returns {Colours}
 */
export function coloursAt(element) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const colours = Object.fromEntries(
    Object.entries(TOKENS).map(([name, token]) => {
      probe.style.color = `var(${token})`;
      return [name, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return /** @type {Colours} */ (colours);
}

/** The same colour, for a surface behind lines. @param {string} colour as `coloursAt` gives it */
export function faint(colour) {
  return colour.replace("rgb(", "rgba(").replace(")", ", 0.16)");
}

/**
 * Run when theme, palette, privacy or the language of figures change.
 *
 * @param {() => void} listener
 * @returns {() => void} ends it
 */
export function onLookChange(listener) {
  const observer = new MutationObserver(listener);
  const attributeFilter = ["data-theme", "data-palette", "data-privacy", "data-locale"];
  observer.observe(document.documentElement, { attributeFilter });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", listener);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", listener);
  };
}

export function isPrivate() {
  return document.documentElement.dataset.privacy === "true";
}
