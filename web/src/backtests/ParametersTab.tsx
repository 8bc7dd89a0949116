import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { BacktestView } from "../api/schema";
import { decimal, money } from "../format/numbers";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { Facts } from "./AssumptionsTab";
import { parametersOf } from "./graph";
import { oneTerms, useSweeps } from "./queries";
import { SweepResult } from "./SweepResult";

/** What was put in, and what the newest search over this strategy's parameters found. */
export function ParametersTab({ backtest }: { backtest: BacktestView }) {
  const terms = useQuery(oneTerms(backtest.backtest_id));
  const { data: sweeps = [] } = useSweeps();
  const newest = sweeps.find((one) => one.workflow_id === backtest.workflow_id && one.status === "finished");
  return (
    <>
      <Pane title="Parameters" columns={7} isFlush>
        <Asked query={terms} what="The terms of this backtest" isEmpty={({ graph }) => parametersOf(graph).length === 0} empty={<Empty>This strategy has none.</Empty>}>
          {({ graph }) => (
            <table className="table">
              <thead>
                <tr>
                  <th>Node</th>
                  <th>Kind</th>
                  <th>Parameter</th>
                  <th className="num">Value</th>
                </tr>
              </thead>
              <tbody>
                {parametersOf(graph).map((one) => (
                  <tr key={one.name}>
                    <td>{one.node}</td>
                    <td>{one.type}</td>
                    <td>{one.param}</td>
                    <td className="num">{one.isNumber ? decimal(one.value) : one.value}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Asked>
      </Pane>
      <Pane title="Terms" columns={5}>
        <Asked query={terms} what="The terms of this backtest">
          {(found) => (
            <Facts
              of={[
                ["Starting cash", money(found.initial_cash)],
                ["Commission", `${decimal(found.fee_bps)} bps`],
                ["Fee a share", decimal(found.fee_per_share)],
                ["Slippage", `${decimal(found.slippage_bps)} bps`],
                ["Within a bar", found.intrabar],
                ["From", found.start === null ? "the first bar" : moment(found.start)],
                ["To", found.end === null ? "the last bar" : moment(found.end)],
                ["Symbols", backtest.symbols.join(", ")],
              ]}
            />
          )}
        </Asked>
      </Pane>
      {newest === undefined ? (
        <Pane title="Searches over the parameters">
          <Empty>
            There was none of this strategy yet: <Link to={"/backtests" as never} search={{ tab: "sweeps" } as never}>start one</Link> to see how much the result
            depends on the very parameters.
          </Empty>
        </Pane>
      ) : (
        <SweepResult sweepId={newest.sweep_id} />
      )}
    </>
  );
}
