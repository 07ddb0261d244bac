// @ts-check
import { onLookChange } from "../charts/look.js";
import { Asking } from "../detail/asking.js";
import { figureNode, row } from "../detail/figure_nodes.js";
import { outcomeName } from "../detail/words.js";
import { writeText } from "../figures.js";
import { cloneTemplate, part } from "./template.js";

/** @typedef {import("../types.js").Position} Position */
/** @typedef {{outcome: string | null, payout: string, net_pnl: string}} Outcome */

/**
 * @typedef {object} EventMatrix
 * @property {boolean | null} is_exclusive
 * @property {readonly Outcome[]} outcomes
 * @property {Outcome | null} best
 * @property {Outcome | null} worst
 */

/**
 * What all that is held of an event pays at each of its outcomes.
 *
 * Set `of` to a position of the event, and it asks the server; or `event`, where that is known
 * already. `find` tells what is held of a market, for the names of outcomes.
 */
export class EventOutcomes extends HTMLElement {
  static define(tag = "event-outcomes", registry = customElements) {
    registry.define(tag, EventOutcomes);
  }

  /** @type {(ticker: string) => Pick<Position, "outcome"> | undefined} */
  find = () => undefined;

  /** @type {EventMatrix | null} */
  #event = null;
  #note = "";
  #path = "";
  #forgetLook = () => {};
  #asking = new Asking(({ answer, error, isLoading }) => {
    // After a failure it may be of what was held before.
    this.#event = error ? null : (answer?.settlement_matrix.event ?? null);
    this.#note = error ? error.message : "";
    if (isLoading) this.#note = "Loading…";
    this.draw();
  });

  /** @param {{ticker: string, account_id: number}} position any of the event's */
  set of({ ticker, account_id }) {
    const path = `positions/${encodeURIComponent(ticker)}?account=${account_id}`;
    const isSame = path === this.#path;
    this.#path = path;
    if (!isSame) {
      this.#asking.want(path);
      return;
    }
    // What is held may have changed since it was last looked at, or the answer have failed.
    this.#note = "Loading…";
    this.draw();
    this.#asking.renew();
  }

  set event(/** @type {EventMatrix | null} */ event) {
    this.#event = event;
    this.draw();
  }

  connectedCallback() {
    this.#forgetLook = onLookChange(() => this.draw());
  }

  disconnectedCallback() {
    this.#forgetLook();
    this.#asking.end();
    this.#path = "";
  }

  draw() {
    if (!this.firstElementChild) this.replaceChildren(cloneTemplate("event-outcomes-template"));
    const event = this.#event;
    const outcomes = event?.outcomes ?? [];
    const bounds = [
      ...(event?.best ? [this.#row("best", "Best case", event.best)] : []),
      ...(event?.worst ? [this.#row("worst", "Worst case", event.worst)] : []),
    ];
    const body = part(this, "tbody");
    part(this, "table").hidden = bounds.length === 0;
    body.replaceChildren(
      ...outcomes.map((each) =>
        this.#row("outcome", outcomeName(each.outcome, this.find(each.outcome ?? "")), each),
      ),
      ...(outcomes.length === 1 ? [] : bounds),
    );
    writeText(part(this, ".outcomes-note"), this.#note || noteOf(event));
  }

  /** @param {string} field @param {string} name @param {Outcome} outcome */
  #row(field, name, { payout, net_pnl }) {
    const line = row([
      name,
      figureNode(`${field}.payout`, payout),
      figureNode(`${field}.net_pnl`, net_pnl),
    ]);
    line.className = field;
    return line;
  }
}

/** @param {EventMatrix | null} event */
function noteOf(event) {
  if (!event) return "";
  if (!event.best) return "Nothing is held of this event any more.";
  return event.is_exclusive
    ? "One of its markets at most ends as YES."
    : "Each market ends for itself: these are the bounds.";
}
