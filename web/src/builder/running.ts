/** Running a version: it is saved first, and what is told afterwards names the version that ran. */

import { answered, api } from "../api/client";
import type { BacktestView } from "../api/schema";
import { count, percent, ratio } from "../format/numbers";
import type { Keeper } from "./keeping";
import type { RunTerms } from "./RunDialog";
import type { DrawingStore } from "./store";

const LOOK_MS = 700;
const LOOKS_MAX = 900;

const moment = (day: string) => (day === "" ? null : `${day}T00:00:00Z`);

/** Save what is drawn, run that version, and tell of both. Throws what the server refuses. */
export async function run(keeper: Keeper, store: DrawingStore, terms: RunTerms): Promise<void> {
  const { tell } = store.getState();
  const before = store.getState().base.version;
  const { version, versionId } = await keeper.save();
  if (version !== before) tell(`Saved as version ${version}.`);
  const one = terms.symbols.length === 1;
  const started = await answered(
    api.POST("/api/v1/backtests", {
      body: {
        version_id: versionId,
        symbol: one ? (terms.symbols[0] ?? "") : "",
        symbols: one ? [] : [...terms.symbols],
        start: moment(terms.start),
        end: moment(terms.end),
        initial_cash: terms.cash,
        fee_bps: terms.fee,
        fee_per_share: "0",
        slippage_bps: terms.slippage,
        account_id: null,
        parameters: {},
        intrabar: "chronological",
      },
    }),
  );
  const to = `/backtests/${started.backtest_id}`;
  tell(`Version ${version} runs over ${terms.symbols.join(", ")}.`, { to });
  void follow(started.backtest_id, version, store);
}

async function follow(id: string, version: number, store: DrawingStore): Promise<void> {
  const to = `/backtests/${id}`;
  for (let look = 0; look < LOOKS_MAX; look++) {
    await new Promise((done) => setTimeout(done, LOOK_MS));
    let found: BacktestView;
    try {
      found = await answered(api.GET("/api/v1/backtests/{backtest_id}", { params: { path: { backtest_id: id } } }));
    } catch {
      continue;
    }
    if (found.status === "finished") store.getState().tell(`Version ${version} over ${found.symbol}: ${figures(found)}.`, { to });
    else if (found.status === "failed") store.getState().tell(`Version ${version} failed with ${found.error_code}: ${found.error}`, { tone: "danger", to });
    else if (found.status === "canceled") store.getState().tell(`The run of version ${version} was canceled.`, { tone: "warn", to });
    else continue;
    return;
  }
}

/** The chief figures of a finished run in one line. */
export function figures(found: Pick<BacktestView, "metrics">): string {
  const { metrics } = found;
  const parts = [
    `net ${percent(metrics["total_return"], { isSigned: true })}`,
    `Sharpe ${ratio(metrics["sharpe"])}`,
    `drawdown ${percent(metrics["max_drawdown"])}`,
    `${count(metrics["trade_count"] ?? 0)} trades`,
  ];
  return parts.join(", ");
}
