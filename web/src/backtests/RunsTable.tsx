import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { BacktestView } from "../api/schema";
import { percent, ratio, tone } from "../format/numbers";
import { moment, span } from "../format/times";
import { Asked } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import "./backtests.css";
import { useCancel } from "./Pending";
import { useBacktests, useStrategyNames } from "./queries";
import { isPending, nameOf } from "./result";

const COMPARED_MAX = 4;

const STATUS: Record<string, string> = { finished: "Finished", failed: "Failed", canceled: "Canceled", queued: "Waiting", running: "Running" };

/** How a run is: its state in a word, and how far it is while it runs. */
export function RunStatus({ run }: { run: { status: string; progress: number; error_code: string } }) {
  if (run.status === "running") {
    return (
      <span className="run-progress">
        <progress value={run.progress} aria-label="Progress" /> {percent(run.progress, { digits: 0 })}
      </span>
    );
  }
  return <span className={run.status === "failed" ? "danger" : ""} title={run.error_code}>{STATUS[run.status] ?? run.status}</span>;
}

const figure = (run: BacktestView, name: string) => run.metrics[name] ?? null;
const lasted = (run: BacktestView) => (run.finished_at === null ? null : new Date(run.finished_at).getTime() - new Date(run.created_at).getTime());

function columnsOf(names: ReadonlyMap<string, string>): Column<BacktestView>[] {
  const shown = (name: string, write: (value: number | null) => ReactNode) => ({
    isNumeric: true,
    value: (run: BacktestView) => figure(run, name),
    cell: (run: BacktestView) => write(figure(run, name)),
  });
  return [
    { id: "strategy", head: "Strategy", value: (run) => nameOf(run, names) },
    { id: "symbol", head: "Symbols", value: (run) => run.symbols.join(", ") },
    { id: "status", head: "Status", value: (run) => run.status, cell: (run) => <RunStatus run={run} /> },
    { id: "return", head: "Net return", ...shown("total_return", (value) => <span className={tone(value)}>{percent(value, { isSigned: true })}</span>) },
    { id: "sharpe", head: "Sharpe", ...shown("sharpe", (value) => ratio(value)) },
    { id: "drawdown", head: "Drawdown", ...shown("max_drawdown", (value) => percent(value)) },
    { id: "trades", head: "Trades", isNumeric: true, value: (run) => figure(run, "trade_count") },
    { id: "duration", head: "Took", isNumeric: true, value: lasted, cell: (run) => (lasted(run) === null ? "—" : span(lasted(run) ?? 0)) },
    { id: "created", head: "Started", value: (run) => run.created_at, cell: (run) => moment(run.created_at) },
    { id: "id", head: "Id", value: (run) => run.backtest_id, cell: (run) => <code>{run.backtest_id.slice(0, 8)}</code>, isHidden: true },
  ];
}

interface RunsTableProps {
  compared: readonly string[];
  onCompare: (ids: readonly string[]) => void;
  empty: ReactNode;
}

/** Every run of one's own; those that are ticked are compared, four at most. */
export function RunsTable({ compared, onCompare, empty }: RunsTableProps) {
  const runs = useBacktests();
  const names = useStrategyNames();
  const navigate = useNavigate();
  const { send } = useCancel();
  const open = (run: BacktestView) => void navigate({ to: "/backtests/$backtestId", params: { backtestId: run.backtest_id } } as never);
  return (
    <Asked query={runs} what="Backtests" height={300}>
      {(rows) => (
        <DataTable
          name="Backtests"
          rows={rows}
          columns={columnsOf(names)}
          keyOf={(run) => run.backtest_id}
          order="-created"
          onOpen={open}
          selected={new Set(compared)}
          onSelect={(keys) => onCompare([...keys].slice(-COMPARED_MAX))}
          actions={(run) =>
            isPending(run) && (
              <Button size="compact-xs" variant="default" onClick={() => void send(run.backtest_id)}>
                Cancel
              </Button>
            )
          }
          empty={empty}
        />
      )}
    </Asked>
  );
}
