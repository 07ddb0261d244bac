// @ts-check
import { put } from "../api.js";
import { Drafts } from "../detail/drafts.js";
import { writeText } from "../figures.js";
import { part } from "./template.js";

/** What was asked for so lately nobody else has written meanwhile, most likely. */
const FRESH_MS = 5_000;

/** Beyond one element's life: what is not saved yet must not go with it. */
const drafts = new Drafts(
  async (key, text) => {
    const { ticker, account_id } = JSON.parse(key);
    await put(`positions/${encodeURIComponent(ticker)}/note?account=${account_id}`, { text });
  },
  (key) => changed.dispatchEvent(new CustomEvent("change", { detail: key })),
);
const changed = new EventTarget();
addEventListener("pagehide", () => drafts.saveAll());

/**
 * What its owner notes about a market. It is saved when they pause, and when they leave.
 *
 * Set `of` and, once it is known, let it `learn` what is saved. Events: `wish` to be told anew what is
 * saved, or at least that it is `answered`; `say`, which bubbles, with what is to be said to those who
 * can't see it.
 */
export class PositionNote extends HTMLElement {
  static define(tag = "position-note", registry = customElements) {
    registry.define(tag, PositionNote);
  }

  #key = "";
  /** Whether the server has said what there is since this one was chosen. */
  #isKnown = false;
  #isBound = false;
  /** When the server was last asked, by `performance.now()`. */
  #askedAt = -Infinity;
  #onChange = (/** @type {Event} */ event) => {
    if (/** @type {CustomEvent} */ (event).detail === this.#key) this.#tell();
  };

  connectedCallback() {
    changed.addEventListener("change", this.#onChange);
    if (this.#isBound) return;
    this.#isBound = true;
    this.#field.addEventListener("input", () => drafts.write(this.#key, this.#field.value));
    this.#field.addEventListener("change", () => drafts.save(this.#key));
    part(this, "button").addEventListener("click", () => drafts.save(this.#key));
    this.#field.addEventListener("focus", () => this.#askIfOld());
  }

  disconnectedCallback() {
    changed.removeEventListener("change", this.#onChange);
    drafts.save(this.#key);
  }

  /** @param {{ticker: string, account_id: number}} position */
  set of({ ticker, account_id }) {
    const key = JSON.stringify({ ticker, account_id });
    if (key === this.#key) return;
    drafts.save(this.#key);
    this.#key = key;
    this.#isKnown = false;
    this.#fill();
  }

  /**
   * What the server had when it was asked.
   *
   * @param {string | null} text
   * @param {number} askedAt by `performance.now()`
   */
  learn(text, askedAt) {
    drafts.learn(this.#key, text ?? "", askedAt);
    this.#isKnown = true;
    this.#askedAt = askedAt;
    this.#fill();
  }

  /** The server was asked, and has answered or not. */
  answered() {
    if (this.#field.readOnly) this.#fill();
  }

  /**
   * It may have been written elsewhere: what is written here then waits for what there is. Seldom,
   * as that takes a moment.
   */
  #askIfOld() {
    const isOurs = drafts.of(this.#key)?.state !== "saved";
    if (isOurs || performance.now() - this.#askedAt < FRESH_MS) return;
    this.#field.readOnly = true;
    // Who types at once must see, or hear, why nothing comes of it.
    writeText(part(this, ".note-state"), "Reading what is saved…");
    this.dispatchEvent(new Event("wish"));
  }

  /** @returns {HTMLTextAreaElement} */
  get #field() {
    return part(this, "textarea");
  }

  #fill() {
    const draft = drafts.of(this.#key);
    this.#field.readOnly = false;
    // Before the server has said what there is, writing would replace it unread: it may have been
    // written elsewhere.
    this.#field.disabled = !draft || (draft.state === "saved" && !this.#isKnown);
    const text = draft?.text ?? "";
    if (this.#field.value !== text) this.#field.value = text;
    part(this, "button").hidden = true;
    writeText(part(this, ".note-state"), "");
    // That there is nothing needs no word.
    if (draft && (draft.state !== "saved" || text)) this.#write(draft);
  }

  #tell() {
    const draft = drafts.of(this.#key);
    if (!draft) return;
    const words = this.#write(draft);
    if (draft.state !== "saved" && draft.state !== "failed") return;
    this.dispatchEvent(new CustomEvent("say", { bubbles: true, detail: `Note: ${words}` }));
  }

  /** @param {import("../detail/drafts.js").Draft} draft @returns {string} what it says */
  #write(draft) {
    const words = {
      saved: "Saved.",
      written: "Not saved yet.",
      saving: "Saving…",
      failed: `Not saved: ${draft.why}`,
    };
    part(this, "button").hidden = draft.state !== "failed";
    writeText(part(this, ".note-state"), words[draft.state]);
    return words[draft.state];
  }
}
