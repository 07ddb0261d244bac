// @ts-check
/**
 * The popover that tells what all that an account holds of an event pays at each outcome.
 */

import { keyOf } from "../account_state.js";
import { recordsOf } from "../detail/records.js";
import { writeText } from "../figures.js";
import { part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("./event-outcomes.js").EventOutcomes} EventOutcomes */

export class Payouts {
  #popover;
  #positions;
  /** Any of the event's, while it is open. @type {Position | null} */
  #position = null;
  /** What was recorded of the event when it was asked for. */
  #recorded = "";

  /**
   * @param {HTMLElement} popover
   * @param {() => ReadonlyMap<string, Position>} positions what is held, by key
   * @param {AbortSignal} signal ends it
   */
  constructor(popover, positions, signal) {
    this.#popover = popover;
    this.#positions = positions;
    popover.addEventListener("toggle", (event) => this.#toggled(event), { signal });
  }

  /** @param {string} name of the event @param {Position} position any of it */
  async show(name, position) {
    await customElements.whenDefined("event-outcomes");
    const outcomes = this.#outcomes;
    outcomes.find = (ticker) => this.#positions().get(keyOf({ ...position, ticker }));
    outcomes.of = position;
    this.#position = position;
    this.#recorded = this.#recordsOf(position);
    writeText(part(this.#popover, ".payouts-title"), name);
    this.#popover.showPopover();
  }

  /** What is possible still is another when something of the event is traded, paid or decided. */
  update() {
    if (!this.#position) return;
    const recorded = this.#recordsOf(this.#position);
    if (recorded === this.#recorded) return;
    this.#recorded = recorded;
    this.#outcomes.of = this.#position;
  }

  /** @param {Position} position */
  #recordsOf(position) {
    const positions = this.#positions();
    return recordsOf(positions.get(keyOf(position)) ?? position, positions.values());
  }

  /** @returns {EventOutcomes} */
  get #outcomes() {
    return part(this.#popover, "event-outcomes");
  }

  /** @param {Event} event */
  #toggled(event) {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") this.#position = null;
  }
}
