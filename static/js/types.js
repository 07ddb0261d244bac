// @ts-check
/**
 * What the server sends, once. A figure is a string in plain decimal notation, or null when it is
 * unknown; a time is RFC 3339 in UTC.
 *
 * @typedef {string | null} Figure
 *
 * @typedef {object} Position
 * @property {number} account_id
 * @property {string} ticker
 * @property {string | null} event_ticker
 * @property {string | null} series_ticker
 * @property {string | null} title
 * @property {string | null} outcome the held side's subtitle
 * @property {string | null} [yes_outcome] that of YES, which the market's question is about; an
 *   older server never says
 * @property {"yes" | "no"} side
 * @property {string} quantity signed contracts: NO below zero
 * @property {Figure} average_price
 * @property {Figure} exposure
 * @property {Figure} yes_bid
 * @property {Figure} yes_ask
 * @property {Figure} yes_bid_size contracts
 * @property {Figure} yes_ask_size contracts
 * @property {Figure} last_price
 * @property {string | null} priced_at
 * @property {Figure} mark value of one contract of the held side
 * @property {"bid" | "mid" | "last" | "settlement" | null} mark_source
 * @property {Figure} market_value
 * @property {Figure} unrealized_pnl
 * @property {Figure} unrealized_pnl_percent
 * @property {Figure} realized_pnl
 * @property {Figure} fees_paid
 * @property {Figure} net_pnl
 * @property {Figure} day_pnl
 * @property {Figure} break_even_price
 * @property {Figure} payout if the held side wins
 * @property {Figure} settlement_value of one YES contract, once it is decided
 * @property {string | null} market_status
 * @property {string | null} close_time
 * @property {string | null} expected_expiration_time when the exchange expects the outcome
 * @property {string | null} url
 * @property {"position" | "market" | null} [unreadable] which row of the exchange can't be
 *   understood, so that the value is unknown; an older server never says
 * @property {string | null} updated_at
 * @property {number} version the account's at this position's last change
 *
 * @typedef {object} Portfolio
 * @property {number | null} account_id null for the sum of several accounts
 * @property {string} [environment] of a sum
 * @property {Figure} cash
 * @property {string | null} cash_as_of
 * @property {boolean} cash_provisional
 * @property {Figure} positions_value
 * @property {Figure} collateral_returned
 * @property {Figure} total_value
 * @property {Figure} exposure
 * @property {Figure} unrealized_pnl
 * @property {Figure} unrealized_pnl_percent
 * @property {Figure} realized_pnl
 * @property {Figure} fees_paid
 * @property {Figure} day_pnl
 * @property {string | null} day_pnl_since
 * @property {number} position_count
 * @property {number} unpriced_count
 * @property {number | null} [unreadable_count] the exchange's rows that can't be understood, beside
 *   those of the positions that say so themselves; an older server never says
 * @property {number} estimated_count
 * @property {Figure} estimated_value
 * @property {Figure} exchange_portfolio_value
 * @property {string | null} reconciled_at null before the first reconciliation
 * @property {number | null} version null for a sum
 * @property {string | null} updated_at
 *
 * @typedef {"connecting" | "live" | "reconnecting" | "disconnected" | "unauthorized" | "maintenance"} Status
 *
 * @typedef {object} ConnectionStatus
 * @property {Status} status
 * @property {number} attempt
 * @property {string | null} retry_at the next try; in maintenance: when the exchange expects to
 *   be back
 * @property {string | null} reason a word of reasons.js, unless the server is newer
 * @property {string | null} since
 * @property {string | null} live_until the exchange's last sign of life; null while live
 *
 * @typedef {object} Snapshot
 * @property {"snapshot"} type
 * @property {number} account_id
 * @property {number} version
 * @property {Position[]} positions
 * @property {Portfolio} portfolio
 * @property {ConnectionStatus} connection
 * @property {string} server_time
 *
 * @typedef {object} PositionClosed
 * @property {"position_closed"} type
 * @property {number} account_id
 * @property {string} ticker
 * @property {number} version
 * @property {"closed" | "settled" | null} reason null if it happened while the stream was away
 * @property {Figure} realized_pnl
 *
 * @typedef {Snapshot
 *   | (Position & {type: "position"})
 *   | PositionClosed
 *   | (Portfolio & {type: "portfolio"})
 *   | (ConnectionStatus & {type: "connection_status", account_id: number})
 *   | {type: "account_removed", account_id: number}} StreamEvent
 */

export {};
