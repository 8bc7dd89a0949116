/** The first steps, and which of them are done: read from what there is, never remembered. */

import type { BacktestView, ConnectionView, DeploymentView, SampleView } from "../api/schema";

export interface Step {
  label: string;
  why: string;
  isDone: boolean;
  isOptional?: boolean;
  to: string;
}

interface Known {
  backtests: readonly BacktestView[];
  deployments: readonly DeploymentView[];
  connections: readonly ConnectionView[];
  sample: SampleView | undefined;
}

export function stepsOf({ backtests, deployments, connections, sample }: Known): Step[] {
  const finished = backtests.filter((one) => one.status === "finished");
  const runs = new Set(finished.map((one) => one.run_hash));
  const own = deployments.filter((one) => one.deployment_id !== sample?.deployment_id);
  const first = finished.at(-1);
  const strategy = sample?.workflow_id == null || sample.state === "removed" ? "/strategies" : `/strategies/${sample.workflow_id}`;
  return [
    { label: "See a result", why: "What a strategy would have done", isDone: first !== undefined, to: first === undefined ? "/backtests" : `/backtests/${first.backtest_id}` },
    { label: "Change one parameter and run again", why: "About two seconds", isDone: runs.size > 1, to: strategy },
    { label: "Start it on paper", why: "Simulated money, the same code as live", isDone: own.length > 0, to: "/strategies" },
    { label: "Connect a broker", why: "Optional; keys are written once and never shown", isDone: connections.some((one) => one.adapter !== "paper"), isOptional: true, to: "/connections" },
  ];
}

/** Whether the list has done its work. */
export function isThrough(steps: readonly Step[]): boolean {
  return steps.every((step) => step.isDone || step.isOptional === true);
}
