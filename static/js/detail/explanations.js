// @ts-check
/**
 * How each figure comes about: a small button beside it, and below it what the server says.
 */

import { isPrivate } from "../charts/look.js";
import { cloneTemplate, part } from "../elements/template.js";
import { UNKNOWN, dateTime } from "../format.js";
import { formulaText } from "./words.js";

/**
 * @typedef {object} Explanation
 * @property {string} field
 * @property {string} formula
 * @property {string} words
 * @property {readonly {name: string, value: string | null, from: string, at: string | null}[]} with
 * @property {string | null} value
 */

/** Figures that are told as they are, or are not the position's own. */
const PLAIN = /^(yes_|last_price|priced_at|close_time|updated_at|expected_)|\./;

export class Explanations {
  #onOpen;
  /** By field. @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();
  /** The field whose explanation is open. @type {string | null} */
  #open = null;
  /** @type {HTMLElement} */
  #box = document.createElement("dd");

  /**
   * @param {HTMLElement} root whose rows of a `dl` get their buttons
   * @param {() => void} onOpen somebody wants to read: ask for what holds now
   */
  constructor(root, onOpen) {
    this.#onOpen = onOpen;
    this.#box.className = "how-text";
    this.#box.id = "how-text";
    /** @type {NodeListOf<HTMLDataElement>} */
    const figures = root.querySelectorAll("dl > div > dd:first-of-type > data[data-field]");
    for (const figure of figures) this.#offer(figure);
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#open) this.#close(event);
    });
  }

  /** @param {readonly Explanation[] | undefined} explanations @param {string} instead without */
  show(explanations, instead) {
    if (!this.#open) return;
    const found = explanations?.find(({ field }) => field === this.#open);
    if (found) this.#box.replaceChildren(explained(found));
    else this.#box.textContent = instead || "The server says nothing about this figure.";
  }

  /** Another position is looked at. */
  close() {
    if (!this.#open) return;
    this.#buttons.get(this.#open)?.setAttribute("aria-expanded", "false");
    this.#open = null;
    this.#box.remove();
  }

  /** @param {HTMLDataElement} figure */
  #offer(figure) {
    const field = figure.dataset.field ?? "";
    const head = figure.closest("div")?.querySelector("dt");
    if (!head || PLAIN.test(field) || figure.classList.contains("beside")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "how";
    button.textContent = "?";
    button.setAttribute("aria-label", `How “${head.textContent}” comes about`);
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", this.#box.id);
    button.addEventListener("click", () => this.#toggle(field, button));
    head.append(" ", button);
    this.#buttons.set(field, button);
  }

  /** @param {string} field @param {HTMLButtonElement} button */
  #toggle(field, button) {
    const wasOpen = this.#open === field;
    this.close();
    if (wasOpen) return;
    this.#open = field;
    button.setAttribute("aria-expanded", "true");
    this.#box.textContent = "Loading…";
    button.closest("div")?.append(this.#box);
    this.#onOpen();
  }

  /** @param {KeyboardEvent} event */
  #close(event) {
    const button = this.#buttons.get(this.#open ?? "");
    this.close();
    button?.focus();
    // Only this is left, not the position.
    event.stopPropagation();
  }
}

/** @param {Explanation} explanation */
function explained({ field, formula, words, with: given, value }) {
  const root = /** @type {DocumentFragment} */ (cloneTemplate("how-template"));
  part(root, ".how-words").textContent = words;
  part(root, ".how-formula").textContent = `${formulaText(field)} = ${formulaText(formula)}`;
  part(root, ".how-value").textContent = exact(value);
  part(root, ".how-given").replaceChildren(
    ...given.map((each) => {
      const item = document.createElement("li");
      const at = each.at ? `, ${dateTime(each.at)}` : "";
      item.textContent = `${formulaText(each.name)} ${exact(each.value)}: ${each.from}${at}`;
      return item;
    }),
  );
  return root;
}

/** All of its digits, as they are reckoned with. @param {string | null} value */
function exact(value) {
  if (value === null) return UNKNOWN;
  return isPrivate() ? "•••" : value.replace("-", "−");
}
