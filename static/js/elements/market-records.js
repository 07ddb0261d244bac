// @ts-check
import { Asking } from "../detail/asking.js";
import { figureNode, row } from "../detail/figure_nodes.js";
import { fillText, tradeEndText } from "../detail/words.js";
import { figureText, writeText } from "../figures.js";
import { dateTime } from "../format.js";
import { focusOn, setHidden } from "./hiding.js";
import { part } from "./template.js";

const MOST = 20;

/**
 * What was traded in a market: its newest executions, and from flat to flat. Set `fills` as the
 * server tells them; the trades it asks for itself.
 */
export class MarketRecords extends HTMLElement {
  static define(tag = "market-records", registry = customElements) {
    registry.define(tag, MarketRecords);
  }

  #query = "";
  /** @type {readonly any[] | null} */
  #fills = null;
  /** @type {readonly any[] | null} */
  #trades = null;
  #note = "";
  #isBound = false;
  #asking = new Asking(({ answer, error, isLoading }) => {
    this.#trades = answer?.trades ?? null;
    this.#note = error ? `The trades could not be read: ${error.message}` : "";
    if (isLoading) this.#note = "Loading…";
    setHidden(part(this, ".trades-again"), !error, () => focusOn("detail-title"));
    this.#drawTrades();
  });

  connectedCallback() {
    if (this.#isBound) return;
    this.#isBound = true;
    part(this, ".trades-again").addEventListener("click", () => this.#asking.renew());
  }

  disconnectedCallback() {
    this.#asking.end();
  }

  /** @param {{ticker: string, account_id: number}} position */
  set of({ ticker, account_id }) {
    const query = `account=${account_id}&ticker=${encodeURIComponent(ticker)}`;
    if (query === this.#query) return;
    this.#query = query;
    for (const name of ["fills", "trades"]) {
      /** @type {HTMLAnchorElement} */
      const link = part(this, `.${name}-csv`);
      link.href = `/api/v1/account/${name}?${query}&format=csv`;
    }
    this.fills = null;
    this.#asking.want(`trades?${query}&limit=${MOST}`);
  }

  /** Newest first; null while they are not known. */
  set fills(/** @type {readonly any[] | null} */ fills) {
    if (fills === this.#fills && fills !== null) return;
    if (this.#fills && fills) this.#asking.renew();
    this.#fills = fills;
    this.draw();
  }

  draw() {
    const fills = this.#fills ?? [];
    part(this, ".fills").hidden = fills.length === 0;
    const count = fills.length > MOST ? `The newest ${MOST}.` : "";
    const nothing = this.#fills ? "No execution is recorded." : "";
    writeText(part(this, ".fills-note"), fills.length === 0 ? nothing : count);
    part(this, ".fills tbody").replaceChildren(...fills.slice(0, MOST).map(fillRow));
    this.#drawTrades();
  }

  #drawTrades() {
    const trades = this.#trades ?? [];
    part(this, ".trades").hidden = trades.length === 0;
    const nothing = this.#trades && trades.length === 0 ? "No trade is recorded." : "";
    writeText(part(this, ".trades-note"), this.#note || nothing);
    part(this, ".trades tbody").replaceChildren(...trades.map(tradeRow));
  }
}

/** @param {any} fill */
function fillRow(fill) {
  return row([
    dateTime(fill.at),
    fillText(fill),
    figureNode("fill.cash_flow", fill.cash_flow),
    figureNode("fill.fee", fill.fee),
    figureNode("fill.realized_pnl", fill.realized_pnl),
  ]);
}

/** @param {any} trade */
function tradeRow(trade) {
  const entry = figureText("average_price", trade.average_entry_price);
  const exit = figureText("average_price", trade.average_exit_price);
  const what = `${figureText("count", trade.count)} ${trade.side.toUpperCase()} at ${entry}`;
  const end = tradeEndText(trade);
  return row([
    dateTime(trade.opened_at),
    what,
    trade.average_exit_price === null ? end : `${end} at ${exit}`,
    figureNode("trade.fees_paid", trade.fees_paid),
    figureNode("trade.net_pnl", trade.net_pnl),
  ]);
}
