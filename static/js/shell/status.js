// @ts-check
/**
 * What is said aloud: the page has one `role="status"`, and several who speak through it.
 */

import { part } from "../elements/template.js";

/** What comes within this time is said together: the last would be heard alone. */
const TOGETHER_MS = 100;

/** Of more sentences at once only their number is said. */
const MOST = 3;

export class Sayer {
  /** @type {string[]} */
  #due = [];
  #write;

  /** @param {(text: string) => void} write */
  constructor(write) {
    this.#write = write;
  }

  /** @param {readonly string[]} sentences of one kind; empty ones are left out */
  say(sentences) {
    const said = sentences.filter(Boolean);
    if (said.length === 0) return;
    if (this.#due.length === 0) setTimeout(() => this.#speak(), TOGETHER_MS);
    const more = said.length - MOST;
    this.#due.push(...said.slice(0, MOST), ...(more > 0 ? [`And ${more} more.`] : []));
  }

  /** Let nothing stand that was said, nor what is about to be. */
  hush() {
    this.#due = [];
    this.#write("");
  }

  #speak() {
    if (this.#due.length === 0) return;
    this.#write(this.#due.join(" "));
    this.#due = [];
  }
}

const page = new Sayer((text) => {
  part(document, "[role=status]").textContent = text;
});

/** Let nothing stand that was said: it may have named amounts. */
export function hush() {
  page.hush();
}

/** Say these, once. @param {readonly string[]} sentences of one kind; empty ones are left out */
export function say(sentences) {
  page.say(sentences);
}
