/** Events of the stream, for tests of what is between it and the page. */

export const ALICE = 1;
export const SERVER_TIME = "2026-11-24T12:00:00.000Z";

export const position = (ticker, version, mark = "0.50", account_id = ALICE) => ({
  type: "position",
  account_id,
  ticker,
  version,
  mark,
});

export const portfolio = (version, account_id = ALICE) => ({
  type: "portfolio",
  account_id,
  version,
});

export const sum = (cash) => ({
  type: "portfolio",
  account_id: null,
  environment: "demo",
  version: null,
  cash,
});

export const closed = (ticker, version, account_id = ALICE) => ({
  type: "position_closed",
  account_id,
  ticker,
  version,
  reason: "settled",
  realized_pnl: "1.00",
});

export const connection = (status = "live", account_id = ALICE) => ({
  type: "connection_status",
  account_id,
  status,
});

export const removed = (account_id) => ({ type: "account_removed", account_id });

export const snapshot = (version, positions = [], account_id = ALICE) => ({
  type: "snapshot",
  account_id,
  version,
  positions,
  portfolio: portfolio(version, account_id),
  connection: connection("live", account_id),
  server_time: SERVER_TIME,
});
