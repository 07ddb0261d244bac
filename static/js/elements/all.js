// @ts-check
/**
 * The dashboard's elements: those of the first figures at once, those that show one position or
 * draw a chart once the first figures are there.
 */

import { AccountSwitcher } from "./account-switcher.js";
import { ClosingNotices } from "./closing-notices.js";
import { ConnectionNotice } from "./connection-notice.js";
import { ConnectionState } from "./connection-state.js";
import { EventHead } from "./event-head.js";
import { LedgerNote } from "./ledger-note.js";
import { PortfolioSummaryBar } from "./portfolio-summary-bar.js";
import { PositionCard } from "./position-card.js";
import { PositionPanel } from "./position-panel.js";

export function defineElements() {
  for (const element of [
    PositionCard,
    EventHead,
    PositionPanel,
    LedgerNote,
    PortfolioSummaryBar,
    ConnectionState,
    ConnectionNotice,
    ClosingNotices,
    AccountSwitcher,
  ]) {
    element.define();
  }
}

/** Load and define the others; does so once. */
export async function defineLater() {
  const { defineDetail } = await import("./detail_elements.js");
  defineDetail();
}
