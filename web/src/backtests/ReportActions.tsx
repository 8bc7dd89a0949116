import { Button, Menu } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Download, Play, RotateCcw } from "lucide-react";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { BacktestView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { useRole } from "../session/session";
import { save } from "../tables/TableTools";
import { entered, oneVerdict } from "./queries";
import { TradeOnPaper } from "./TradeOnPaper";

type Kind = "html" | "trades" | "course" | "json";

const FILES: readonly [Kind, string][] = [
  ["html", "HTML: the whole report"],
  ["trades", "CSV: the trades"],
  ["course", "CSV: the daily course"],
  ["json", "JSON: everything"],
];

/** What can be done with a finished backtest: take it away, run it again, trade it. */
export function ReportActions({ backtest }: { backtest: BacktestView }) {
  const [isTrading, trade] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const path = { params: { path: { backtest_id: backtest.backtest_id } } };
  const taken = useSending(async (kind: Kind) => {
    if (kind === "json") {
      const verdict = await queries.fetchQuery(oneVerdict(backtest.backtest_id));
      return save(`backtest-${backtest.backtest_id.slice(0, 8)}.json`, `${JSON.stringify({ backtest, verdict }, null, 2)}\n`, "application/json");
    }
    const file = await answered(
      api.GET("/api/v1/backtests/{backtest_id}/report", { params: { ...path.params, query: { kind } } }),
    );
    save(file.file_name, file.text, file.media_type);
  });
  const repeated = useSending(async () => {
    const started = entered(queries, await answered(api.POST("/api/v1/backtests/{backtest_id}/repeat", path)));
    await navigate({ to: "/backtests/$backtestId", params: { backtestId: started.backtest_id } } as never);
  });
  const isViewer = useRole() === "viewer";
  const why = isViewer ? "Viewers change nothing: ask for the role of a trader" : "";
  const untradable = why || (backtest.template !== "" ? "A sample belongs to everybody: make a strategy from its template first" : "");
  return (
    <span className="page-actions">
      <span role="alert" className="danger">
        {taken.failure || repeated.failure}
      </span>
      <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <Button variant="default" loading={taken.isSending} leftSection={<Download size={14} aria-hidden />}>
            Export report
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {FILES.map(([kind, label]) => (
            <Menu.Item key={kind} onClick={() => void taken.send(kind)}>
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Button
        variant="default"
        loading={repeated.isSending}
        disabled={why !== ""}
        title={why || "The same strategy, bars, range and terms: it must come to the same result"}
        leftSection={<RotateCcw size={14} aria-hidden />}
        onClick={() => void repeated.send()}
      >
        Run again
      </Button>
      <Button disabled={untradable !== ""} title={untradable} leftSection={<Play size={14} aria-hidden />} onClick={() => trade(true)}>
        Trade this on paper
      </Button>
      {isTrading && <TradeOnPaper backtest={backtest} onClose={() => trade(false)} />}
    </span>
  );
}
