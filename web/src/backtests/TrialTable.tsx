import type { TrialView } from "../api/schema";
import { percent, ratio } from "../format/numbers";
import { type Column, DataTable } from "../tables/DataTable";
import { pointText } from "./sweep";

const figure = (trial: TrialView, name: string) => trial.metrics[name] ?? null;

const COLUMNS: Column<TrialView>[] = [
  { id: "trial", head: "Trial", value: (row) => `${row.segment}.${row.number}` },
  { id: "role", head: "Role", value: (row) => row.role },
  { id: "parameters", head: "Parameters", value: (row) => pointText(row.parameters) },
  { id: "score", head: "Score", isNumeric: true, value: (row) => row.score, cell: (row) => ratio(row.score) },
  { id: "return", head: "Return", isNumeric: true, value: (row) => figure(row, "total_return"), cell: (row) => percent(figure(row, "total_return"), { isSigned: true }) },
  { id: "sharpe", head: "Sharpe", isNumeric: true, value: (row) => figure(row, "sharpe"), cell: (row) => ratio(figure(row, "sharpe")) },
  { id: "drawdown", head: "Drawdown", isNumeric: true, value: (row) => figure(row, "max_drawdown"), cell: (row) => percent(figure(row, "max_drawdown")) },
  { id: "trades", head: "Trades", isNumeric: true, value: (row) => figure(row, "trade_count") },
  { id: "error", head: "Error", value: (row) => row.error_code },
];

/** The trials of a search, the best first; each opens as a backtest. */
export function TrialTable({ trials, onOpen }: { trials: readonly TrialView[]; onOpen: (trial: TrialView) => void }) {
  return <DataTable name="Trials" rows={trials} columns={COLUMNS} keyOf={(row) => `${row.role}${row.segment}.${row.number}`} onOpen={onOpen} empty="Nothing was tried." />;
}
