import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import type { BacktestView } from "../api/schema";
import { count, decimal, money } from "../format/numbers";
import { day, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { type Figures, formulaOf, shownFigure } from "./figures";
import { oneTerms, oneVerdict } from "./queries";
import { type Result, resultOf } from "./result";
import { INTRABARS } from "./terms";

/** What a reader must know before trusting the numbers, what it cost, and the bars it rests on. */
export function AssumptionsTab({ backtest, figures }: { backtest: BacktestView; figures: Figures }) {
  const terms = useQuery(oneTerms(backtest.backtest_id));
  const { data: verdict } = useQuery(oneVerdict(backtest.backtest_id));
  const result = resultOf(backtest);
  const told = result.honesty;
  const costs = ["fees_total", "slippage_total", "borrow_total", "cost_total", "cost_share", "break_even_cost"];
  return (
    <>
      <Pane title="What to know before trusting this" columns={8}>
        <Facts
          of={[
            ["Fills", told.fill_model],
            ["Stops and targets", INTRABARS.find((one) => one.value === (told.intrabar ?? "chronological"))?.label ?? told.intrabar],
            ["Fees", `${decimal(told.fees.commission_bps)} bps, ${decimal(told.fees.per_share)} a share, ${decimal(told.fees.minimum)} at least`],
            ["Slippage", `${decimal(told.slippage_bps)} bps`],
            ["Data", `${count(told.bars)} bars, ${day(told.first_ts)} to ${day(told.last_ts)}`],
            ["Largest gap", `${told.largest_gap_days.toFixed(1)} days`],
            ["Warm-up", `${count(told.warm_up_bars)} bars on which nothing could trade`],
            ["At the end", endingOf(told)],
            ["Bars that could have filled two ways", ambiguousOf(result)],
            ["Signals that did not trade", counted(result.blocked)],
            ["Orders that were denied", counted(denialsOf(result))],
            ["Left out of this report", counted(result.left_out)],
            ["Limits", <code key="limits">version {told.limit_version}, {told.limit_hash.slice(0, 16)}</code>],
            ["Trials so far", verdict === undefined ? "…" : `${verdict.trials} different runs of this strategy`],
            ["Locked bars opened", verdict === undefined ? "…" : `${verdict.unlocks} time(s)`],
            ["Run", <code key="run" className="mono is-wrapped">{backtest.run_hash}</code>],
            ["Result", <code key="result" className="mono is-wrapped">{backtest.result_hash}</code>],
          ]}
        />
      </Pane>
      <Pane title="Costs" columns={4}>
        <dl className="figure-list">
          {costs.map((name) => (
            <Fragment key={name}>
              <dt title={formulaOf(figures.get(name))}>{figures.get(name)?.label ?? name}</dt>
              <dd>{shownFigure(backtest.metrics[name], figures.get(name))}</dd>
            </Fragment>
          ))}
        </dl>
      </Pane>
      <Pane title="Bars it rests on" isFlush>
        <Asked query={terms} what="The terms of this backtest">
          {({ datasets }) => (
            <table className="table">
              <thead>
                <tr>
                  <th>Symbol</th>
                  <th>Interval</th>
                  <th>Source</th>
                  <th className="num">Bars</th>
                  <th>From</th>
                  <th>To</th>
                  <th>Prices</th>
                  <th>Odd in them</th>
                  <th>Content</th>
                </tr>
              </thead>
              <tbody>
                {datasets.map((one) => (
                  <tr key={one.dataset_id}>
                    <td>{one.symbol}</td>
                    <td>{one.timeframe}</td>
                    <td>{one.source}</td>
                    <td className="num">{count(one.rows)}</td>
                    <td>{day(one.first_ts)}</td>
                    <td>{day(one.last_ts)}</td>
                    <td>{one.price_basis.replaceAll("_", " ")}</td>
                    <td className="wrap">{one.findings.join("; ") || "nothing"}</td>
                    <td className="mono">{one.data_hash.slice(0, 12)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Asked>
      </Pane>
      <p className="dim span-12">Made {moment(backtest.finished_at)} from bars up to {moment(told.last_ts)}.</p>
    </>
  );
}

export function Facts({ of }: { of: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {of.map(([name, fact]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function endingOf(told: Result["honesty"]): string {
  const parts = [];
  if (told.is_position_open) parts.push("a position was open, valued at the last close");
  if (told.is_order_working) parts.push("an order of the last bar met no bar any more");
  return parts.join("; ") || "flat, no order waiting";
}

function ambiguousOf({ summary: { ambiguous } }: Result): string {
  if (ambiguous === undefined) return "not counted";
  if (ambiguous.count === 0) return `none of ${count(ambiguous.exits)} stops and targets`;
  const gain = money(ambiguous.gain.toFixed(2));
  return `${count(ambiguous.count)} of ${count(ambiguous.exits)} stops and targets: the stop was taken. Had the target come first each time, ${gain} more`;
}

function denialsOf(result: Result): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { findings } of result.denials) {
    const code = findings[0]?.code ?? "UNKNOWN";
    found[code] = (found[code] ?? 0) + 1;
  }
  return found;
}

function counted(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .filter(([, many]) => many > 0)
      .map(([name, many]) => `${name}: ${count(many)}`)
      .join(", ") || "none"
  );
}
