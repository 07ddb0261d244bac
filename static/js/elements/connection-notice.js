// @ts-check
import { writeText } from "../figures.js";
import { focusOn, setHidden } from "./hiding.js";
import { part } from "./template.js";

/** @typedef {import("../connection.js").ConnectionView} ConnectionView */

const LABELS = { retry: "Try now", "sign-in": "Sign in again" };

/**
 * Says what is wrong with the connection and offers what can be done; hidden while live.
 *
 * Events: `retry`, `sign-in`.
 */
export class ConnectionNotice extends HTMLElement {
  static define(tag = "connection-notice", registry = customElements) {
    registry.define(tag, ConnectionNotice);
  }

  /** @type {ConnectionView["action"]} */
  #action = null;
  #lifetime = new AbortController();

  connectedCallback() {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    const act = () => this.#action && this.dispatchEvent(new CustomEvent(this.#action));
    part(this, "button").addEventListener("click", act, { signal });
  }

  disconnectedCallback() {
    this.#lifetime.abort();
  }

  /** Whose connection it is; empty where that is clear. */
  set account(/** @type {string} */ name) {
    writeText(part(this, ".notice-account"), name);
    this.setAttribute("aria-label", name ? `Connection of ${name}` : "Connection");
  }

  set view(/** @type {ConnectionView} */ view) {
    this.#action = view.action;
    setHidden(this, view.message === "", goOn);
    this.dataset.status = view.status;
    writeText(part(this, ".notice-text"), view.message);
    const button = part(this, "button");
    setHidden(button, view.action === null, goOn);
    if (view.action) writeText(button, LABELS[view.action]);
  }
}

function goOn() {
  focusOn("positions");
}
