import { Tabs } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import type { BacktestView } from "../api/schema";
import { AssumptionsTab } from "../backtests/AssumptionsTab";
import { Pending } from "../backtests/Pending";
import { ParametersTab } from "../backtests/ParametersTab";
import { useBacktest, useFigures, useStrategyNames } from "../backtests/queries";
import { Repeated } from "../backtests/Repeated";
import { ReportActions } from "../backtests/ReportActions";
import { ReportTab } from "../backtests/ReportTab";
import { isPending, nameOf, resultOf } from "../backtests/result";
import { tradeOf } from "../backtests/marks";
import { TradesTab } from "../backtests/TradesTab";
import { WhyTab } from "../backtests/WhyTab";
import { day } from "../format/times";
import { Asked } from "../panes/states";
import { SampleChip } from "../panes/SampleChip";
import { instant } from "../charts/layers";
import { textOf, useUrlChoice, useUrlState } from "../shell/urlState";

const TABS = ["report", "trades", "parameters", "assumptions", "why"] as const;
type Tab = (typeof TABS)[number];
const LABELS: Record<Tab, string> = { report: "Report", trades: "Trades", parameters: "Parameters", assumptions: "Assumptions", why: "Log" };

/** One backtest: what came out, of what, and whether to believe it. */
export default function Report() {
  const { backtestId } = useParams({ strict: false }) as { backtestId: string };
  const backtest = useBacktest(backtestId);
  const names = useStrategyNames();
  const found = backtest.data;
  return (
    <div className="page">
      <div className="page-title">
        <h1>{found === undefined ? "Backtest" : nameOf(found, names)}</h1>
        {found !== undefined && <span className="dim">{factsOf(found)}</span>}
        {found !== undefined && found.template !== "" && <SampleChip />}
        {found?.status === "finished" && <ReportActions backtest={found} />}
      </div>
      <div className="span-12">
        <Asked query={backtest} what="This backtest" height={600}>
          {(one) => (one.status === "finished" ? <Finished backtest={one} /> : <Pending backtest={one} />)}
        </Asked>
      </div>
    </div>
  );
}

function factsOf(backtest: BacktestView): string {
  const span = isPending(backtest) || backtest.result === null ? "" : `, ${day(resultOf(backtest).honesty.first_ts)} to ${day(resultOf(backtest).honesty.last_ts)}`;
  return `${backtest.symbols.join(", ")}${span}`;
}

function Finished({ backtest }: { backtest: BacktestView }) {
  const figures = useFigures();
  const [tab, choose] = useUrlChoice<Tab>("tab", TABS, "report");
  const [picked, pick] = useUrlState<number>("trade", 0, (found) => (Number.isInteger(Number(found)) ? Number(found) : null));
  const [at] = useUrlState<string>("at", "", textOf);
  const navigate = useNavigate();
  const go = (change: Record<string, unknown>) =>
    void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }), replace: true, resetScroll: false } as never);
  const result = resultOf(backtest);
  const onMark = (id: string) => {
    const fill = result.fills[Number(id)];
    if (fill !== undefined) go({ tab: "trades", trade: tradeOf(fill, result.trades) + 1 || undefined });
  };
  const onBar = (seconds: number) => go({ tab: "why", at: instant(seconds) });
  return (
    <Tabs value={tab} onChange={(next) => choose((next ?? "report") as Tab)} keepMounted={false}>
      <Tabs.List>
        {TABS.map((one) => (
          <Tabs.Tab key={one} value={one}>
            {LABELS[one]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Asked query={figures} what="What the figures are" height={600}>
        {(known) => (
          <Tabs.Panel value={tab} className="page" style={{ padding: "12px 0 0" }}>
            {backtest.repeats !== null && <Repeated backtest={backtest} of={backtest.repeats} />}
            {tab === "report" && <ReportTab backtest={backtest} figures={known} onMark={onMark} onBar={onBar} />}
            {tab === "trades" && <TradesTab backtest={backtest} picked={picked} onPick={pick} onMark={onMark} onBar={onBar} />}
            {tab === "parameters" && <ParametersTab backtest={backtest} />}
            {tab === "assumptions" && <AssumptionsTab backtest={backtest} figures={known} />}
            {tab === "why" && <WhyTab backtest={backtest} at={at} onAt={(next) => go({ at: next })} />}
          </Tabs.Panel>
        )}
      </Asked>
    </Tabs>
  );
}
