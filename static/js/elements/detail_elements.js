// @ts-check
/**
 * The elements that show one position in full, and the charts. Those that others have in their
 * markup come first.
 */

import { EquityChart } from "./equity-chart.js";
import { EventOutcomes } from "./event-outcomes.js";
import { MarketRecords } from "./market-records.js";
import { PositionDetail } from "./position-detail.js";
import { PositionNote } from "./position-note.js";
import { PriceChart } from "./price-chart.js";
import { SellNow } from "./sell-now.js";

export function defineDetail() {
  for (const element of [
    EquityChart,
    PriceChart,
    SellNow,
    EventOutcomes,
    MarketRecords,
    PositionNote,
    PositionDetail,
  ]) {
    element.define();
  }
}
