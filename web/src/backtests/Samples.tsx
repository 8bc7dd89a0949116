import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { answered, api } from "../api/client";
import type { TemplateBacktestView } from "../api/schema";
import { percent, ratio } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { SampleChip } from "../panes/SampleChip";
import { Asked } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";

const COLUMNS: Column<TemplateBacktestView>[] = [
  { id: "template", head: "Template", value: (row) => row.template },
  { id: "symbols", head: "Symbols", value: (row) => row.symbols.join(", ") },
  { id: "timeframe", head: "Interval", value: (row) => row.timeframe },
  { id: "status", head: "Status", value: (row) => row.missing || row.status },
  ...(["total_return", "sharpe", "max_drawdown"] as const).map((name) => ({
    id: name,
    head: { total_return: "Net return", sharpe: "Sharpe", max_drawdown: "Drawdown" }[name],
    isNumeric: true,
    value: (row: TemplateBacktestView) => row.figures[name] ?? null,
    cell: (row: TemplateBacktestView) => (name === "sharpe" ? ratio(row.figures[name]) : percent(row.figures[name], { isSigned: name === "total_return" })),
  })),
  { id: "trades", head: "Trades", isNumeric: true, value: (row) => row.figures["trade_count"] ?? null },
];

/** The ready strategies, each tried on the prices that came with the installation. */
export function Samples({ onTry }: { onTry: (template: string) => void }) {
  const navigate = useNavigate();
  const samples = useQuery({
    queryKey: ["templates", "backtests"],
    queryFn: async () => (await answered(api.GET("/api/v1/templates/backtests"))).backtests,
  });
  return (
    <Pane title="Ready strategies" isFlush facts={<SampleChip />}>
      <Asked query={samples} what="The backtests of ready strategies" height={300}>
        {(rows) => (
          <DataTable
            name="Ready strategies"
            rows={rows}
            columns={COLUMNS}
            keyOf={(row) => row.template}
            onOpen={(row) => row.backtest_id !== null && void navigate({ to: "/backtests/$backtestId", params: { backtestId: row.backtest_id } } as never)}
            actions={(row) => (
              <Button size="compact-xs" variant="default" onClick={() => onTry(row.template)}>
                Try
              </Button>
            )}
          />
        )}
      </Asked>
    </Pane>
  );
}
