import { Button } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { BacktestCourseView, BacktestTermsView, BacktestView } from "../api/schema";
import type { Ink, PaneSpec } from "../charts/layers";
import { TimeChart } from "../charts/TimeChart";
import { NOT_APPLICABLE, percent } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { Empty, Failed, Loading } from "../panes/states";
import { type Figures, shownFigure } from "./figures";
import { differencesOf, parametersOf } from "./graph";
import { oneBacktest, oneCourse, oneTerms, useFigures, useStrategyNames } from "./queries";
import { nameOf } from "./result";

const INKS: readonly Ink[] = ["accent", "up", "warn", "down"];
const NAMES = ["A", "B", "C", "D"];
const SHOWN = ["total_return", "cagr", "sharpe", "sortino", "max_drawdown", "trade_count", "win_rate", "profit_factor", "cost_total"];

interface CompareProps {
  ids: readonly string[];
  onClear: () => void;
}

/** Two to four runs beside each other: equity on one scale, figures, and what was different in what was put in. */
export function Compare({ ids, onClear }: CompareProps) {
  const runs = useQueries({ queries: ids.map((id) => oneBacktest(id)) });
  const courses = useQueries({ queries: ids.map((id) => oneCourse(id)) });
  const terms = useQueries({ queries: ids.map((id) => oneTerms(id)) });
  const figures = useFigures();
  const failed = [...runs, ...courses, ...terms, figures].find((query) => query.error !== null)?.error ?? null;
  const known = [runs, courses, terms].every((queries) => queries.every((query) => query.data !== undefined)) && figures.data !== undefined;
  return (
    <Pane
      title={`Compared: ${ids.length} runs`}
      actions={
        <Button size="compact-xs" variant="default" onClick={onClear}>
          Clear
        </Button>
      }
    >
      {failed !== null ? (
        <Failed what="These runs cannot be compared" error={failed} />
      ) : ids.length < 2 ? (
        <Empty>Tick one more run, four at most.</Empty>
      ) : known ? (
        <Compared
          runs={runs.map((query) => query.data as BacktestView)}
          courses={courses.map((query) => query.data as BacktestCourseView)}
          terms={terms.map((query) => query.data as BacktestTermsView)}
          figures={figures.data as Figures}
        />
      ) : (
        <Loading height={420} />
      )}
    </Pane>
  );
}

interface ComparedProps {
  runs: BacktestView[];
  courses: BacktestCourseView[];
  terms: BacktestTermsView[];
  figures: Figures;
}

function Compared({ runs, courses, terms, figures }: ComparedProps) {
  const names = useStrategyNames();
  const key = runs.map((run) => run.backtest_id).join();
  const panes = useMemo(() => panesOf(courses), [key]); // courses of finished runs never change
  const different = differencesOf(terms.map(termsOf));
  return (
    <>
      <TimeChart name="Equity of the compared runs" panes={panes} height={320} />
      <table className="table" aria-label="Figures of the compared runs">
        <thead>
          <tr>
            <th>Run</th>
            {runs.map((run, place) => (
              <th key={run.backtest_id} className="num">
                <Link to={"/backtests/$backtestId" as never} params={{ backtestId: run.backtest_id } as never}>
                  {NAMES[place]}: {nameOf(run, names)}, {run.symbols.join(", ")}
                </Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {SHOWN.map((name) => (
            <tr key={name}>
              <td>{figures.get(name)?.label ?? name}</td>
              {runs.map((run) => (
                <td key={run.backtest_id} className="num">
                  {shownFigure(run.metrics[name], figures.get(name))}
                </td>
              ))}
            </tr>
          ))}
          {different.map(({ name, values }) => (
            <tr key={name}>
              <td>
                {name} <span className="dim">differs</span>
              </td>
              {values.map((value, place) => (
                <td key={runs[place]?.backtest_id} className="num warn">
                  {value ?? NOT_APPLICABLE}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {different.length === 0 && <p className="dim">They were run with the same parameters and terms.</p>}
    </>
  );
}

/** Each run as a multiple of what it began with, so that runs of different cash stand on one scale. */
function panesOf(courses: readonly BacktestCourseView[]): PaneSpec[] {
  const layers = courses.map(({ bars, equity }, place) => {
    const first = equity[0] || 1;
    const points = bars.closed_s.map((at, row) => ({ at, value: (equity[row] ?? first) / first - 1 }));
    const write = (value: number) => percent(value, { isSigned: true });
    return { kind: "line" as const, id: `run${place}`, label: NAMES[place] ?? "", ink: INKS[place] ?? "dim", write, points };
  });
  return [{ id: "equity", share: 1, layers }];
}

function termsOf(terms: BacktestTermsView): Map<string, string> {
  const named: [string, string][] = [
    ["Starting cash", terms.initial_cash],
    ["Commission, bps", terms.fee_bps],
    ["Fee a share", terms.fee_per_share],
    ["Slippage, bps", terms.slippage_bps],
    ["Within a bar", terms.intrabar],
    ["From", terms.start ?? "the first bar"],
    ["To", terms.end ?? "the last bar"],
    ["Symbols", terms.datasets.map((one) => one.symbol).join(", ")],
    ["Bars", terms.datasets.map((one) => one.data_hash.slice(0, 12)).join(", ")],
  ];
  return new Map([...named, ...parametersOf(terms.graph).map((one): [string, string] => [one.name, one.value])]);
}
