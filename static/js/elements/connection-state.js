// @ts-check
import { writeText } from "../figures.js";
import { part } from "./template.js";

/** @typedef {import("../connection.js").ConnectionView} ConnectionView */

/**
 * The connection's dot and word; `data-connection` holds its status.
 */
export class ConnectionState extends HTMLElement {
  static define(tag = "connection-state", registry = customElements) {
    registry.define(tag, ConnectionState);
  }

  set view(/** @type {Pick<ConnectionView, "status" | "word">} */ view) {
    if (this.dataset.connection !== view.status) this.dataset.connection = view.status;
    writeText(part(this, ".connection-word"), view.word);
  }
}
