import { Link } from "@tanstack/react-router";
import type { DeploymentView, SampleView } from "../api/schema";
import { compareDecimals, negated, sumOf } from "../format/decimals";
import { percent, profit, quantity, tone } from "../format/numbers";
import { ago, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { SampleChip } from "../panes/SampleChip";
import { Asked, Empty } from "../panes/states";
import { useBacktests, useDeployments, useWorkflows } from "./queries";

const RUNS = 6;
const RUNNING_STATES = new Set(["active", "pending", "paused"]);

/** What a deployment has made of its capital so far. */
function pnlOf(one: DeploymentView): string {
  return sumOf([one.equity, negated(one.capital)]);
}

/** How the strategy of a version is called: of an archived one too, and of a version that is not the newest. */
function useNames(sample: SampleView | undefined): (version: string) => string {
  const workflows = useWorkflows().data ?? [];
  const backtests = useBacktests().data ?? [];
  const deployments = useDeployments().data ?? [];
  const names = new Map(workflows.map((one) => [one.workflow_id, one.name]));
  const workflowOf = new Map<string, string | null>(workflows.map((one) => [one.version_id, one.workflow_id]));
  for (const one of backtests) workflowOf.set(one.version_id, one.workflow_id);
  const ofSample = deployments.find((one) => one.deployment_id === sample?.deployment_id);
  if (ofSample !== undefined) workflowOf.set(ofSample.version_id, sample?.workflow_id ?? null);
  // a chip stands beside the sample's name, and there is little room
  return (version) => (names.get(workflowOf.get(version) ?? "") ?? "Strategy").replace(/^Sample: /, "");
}

/** The strategies that trade now, the best first. */
export function Running({ sample }: { sample: SampleView | undefined }) {
  const deployments = useDeployments();
  const nameOf = useNames(sample);
  return (
    <Pane title="Running strategies" columns={4} isFlush>
      <Asked
        query={deployments}
        what="Running strategies"
        isEmpty={(all) => !all.some((one) => RUNNING_STATES.has(one.status))}
        empty={<Empty>No strategy trades at present. A strategy starts on paper from its backtest or its page.</Empty>}
      >
        {(all) => (
          <table className="table">
            <thead>
              <tr>
                <th>Strategy</th>
                <th>Holds</th>
                <th className="num">P&amp;L</th>
              </tr>
            </thead>
            <tbody>
              {all
                .filter((one) => RUNNING_STATES.has(one.status))
                .sort((a, b) => compareDecimals(pnlOf(b), pnlOf(a)) ?? 0)
                .map((one) => (
                  <tr key={one.deployment_id}>
                    <td className="cut">
                      <span className="named">
                        <Link to={"/strategies" as string} search={{ deployment: one.deployment_id } as never}>
                          {nameOf(one.version_id)}
                        </Link>
                        {one.deployment_id === sample?.deployment_id && <SampleChip />}
                      </span>
                    </td>
                    <td>
                      {tone(one.position_qty) === "none" ? <span className="dim">flat</span> : quantity(one.position_qty)} {one.symbol}
                    </td>
                    <td className={`num ${tone(pnlOf(one))}`}>{profit(pnlOf(one))}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        )}
      </Asked>
    </Pane>
  );
}

/** The newest backtests. */
export function LastRuns({ sample }: { sample: SampleView | undefined }) {
  const backtests = useBacktests();
  const nameOf = useNames(sample);
  return (
    <Pane title="Last runs" columns={4} isFlush>
      <Asked
        query={backtests}
        what="Backtests"
        isEmpty={(all) => all.length === 0}
        empty={<Empty>No backtest yet. It shows what a strategy would have done with old prices.</Empty>}
      >
        {(all) => (
          <table className="table">
            <thead>
              <tr>
                <th>Strategy</th>
                <th>On</th>
                <th className="num">Return</th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, RUNS).map((one) => {
                const result = one.metrics["total_return"];
                return (
                  <tr key={one.backtest_id}>
                    <td className="cut">
                      <span className="named">
                        <Link to={`/backtests/${one.backtest_id}` as string}>{nameOf(one.version_id)}</Link>
                        {one.backtest_id === sample?.backtest_id && <SampleChip />}
                      </span>
                    </td>
                    <td title={moment(one.created_at)}>
                      {one.symbol} <span className="dim">{ago(one.created_at, Date.now())}</span>
                    </td>
                    <td className={`num ${one.status === "finished" ? tone(result) : "dim"}`}>
                      {one.status === "finished" ? percent(result, { isSigned: true }) : one.status}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </Asked>
    </Pane>
  );
}
