import { useMemo } from "react";
import type { BacktestView } from "../api/schema";
import { count, decimal, percent, tone } from "../format/numbers";
import { Kpis } from "../panes/Kpis";
import { Pane } from "../panes/Pane";
import { Empty } from "../panes/states";
import { CourseChart } from "./CourseChart";
import { Distribution } from "./Distribution";
import { FigureList } from "./FigureList";
import { type Figures, figureTone, formulaOf, shownFigure } from "./figures";
import { HeatMap } from "./HeatMap";
import { type Group, histogram, monthly, resultOf, tradeReturns } from "./result";
import { Warnings } from "./Warnings";

const CHIEF = ["total_return", "cagr", "sharpe", "max_drawdown", "trade_count", "profit_factor", "cost_total"];

interface ReportTabProps {
  backtest: BacktestView;
  figures: Figures;
  onMark: (id: string) => void;
  onBar: (at: number) => void;
}

/** What came out: warnings first, then the chief figures, the course, months, trades by size and by why they ended. */
export function ReportTab({ backtest, figures, onMark, onBar }: ReportTabProps) {
  const { metrics } = backtest;
  const result = resultOf(backtest);
  const years = useMemo(() => monthly(result.course.days ?? [], result.course.equity ?? []), [result]);
  const bins = useMemo(() => histogram(tradeReturns(result.trades)), [result]);
  const chief = CHIEF.map((name) => {
    const [figure, found] = [figures.get(name), figureTone(metrics[name], name)];
    const text = shownFigure(metrics[name], figure);
    const value = metrics[name] == null ? <span className="kpi-reason">{text}</span> : text;
    return { label: figure?.label ?? name, value, hint: formulaOf(figure), ...(found ? { tone: found } : {}) };
  });
  const exits = result.summary.groups?.["exit"] ?? [];
  return (
    <>
      <Warnings backtest={backtest} />
      <div className="span-12">
        <Kpis of={chief} />
      </div>
      <Pane title="Course">
        <CourseChart backtest={backtest} selected={null} onMark={onMark} onBar={onBar} />
      </Pane>
      <Pane title="Returns by month" facts="percent" columns={8} isFlush>
        {years.length > 0 ? <HeatMap years={years} /> : <Empty>The run was too long or too short to keep its days.</Empty>}
      </Pane>
      <Pane title="Trades by return" facts={`${count(result.trades.length)} closed`} columns={4}>
        {bins.length > 0 ? <Distribution bins={bins} what="How many trades came to which return" /> : <Empty>No trade was closed.</Empty>}
      </Pane>
      <Pane title="By exit reason" columns={6} isFlush>
        <Groups of={exits} head="Closed by" />
      </Pane>
      <Pane title="By entry reason" columns={6} isFlush>
        <Groups of={result.summary.groups?.["entry"] ?? []} head="Opened by" />
      </Pane>
      <Pane title="All figures" facts="each with its formula and where it is from">
        <FigureList metrics={metrics} figures={figures} />
      </Pane>
    </>
  );
}

function Groups({ of, head }: { of: readonly Group[]; head: string }) {
  if (of.length === 0) return <Empty>No trade was closed.</Empty>;
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{head}</th>
          <th className="num">Trades</th>
          <th className="num">Won</th>
          <th className="num">Net</th>
          <th className="num">Fees</th>
        </tr>
      </thead>
      <tbody>
        {of.map(([name, trades, won, net, fees]) => (
          <tr key={name}>
            <td>{name}</td>
            <td className="num">{count(trades)}</td>
            <td className="num">{percent(won / trades, { digits: 0 })}</td>
            <td className={`num ${tone(net)}`}>{decimal(net.toFixed(2), { digits: 2, isSigned: true })}</td>
            <td className="num">{decimal(fees.toFixed(2), { digits: 2 })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
