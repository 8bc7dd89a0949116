/** How a strategy stands: what became of its versions, put together from what the services tell. */

import type { DeploymentView, WorkflowExecutionView, WorkflowView } from "../api/schema";
import { negated, sumOf } from "../format/decimals";

export type StandingState = "live" | "paper" | "stopped" | "failed" | "draft" | "archived";

export interface Standing {
  workflow: WorkflowView;
  state: StandingState;
  /** Symbols it trades, or was last run over. */
  symbols: string;
  /** Profit not yet booked of what runs; null where nothing runs. */
  open: string | null;
  running: readonly DeploymentView[];
  lastTest: WorkflowExecutionView | null;
  warnings: readonly string[];
}

export function isRunning(deployment: Pick<DeploymentView, "status">): boolean {
  return deployment.status === "active";
}

/** What is held is worth more than was paid: equity less capital less what is booked, fees not counted twice. */
export function openProfit(one: Pick<DeploymentView, "equity" | "capital" | "realized_pnl" | "fees">): string {
  return sumOf([one.equity, negated(one.capital), negated(one.realized_pnl), one.fees]);
}

export function standingOf(workflow: WorkflowView, executions: readonly WorkflowExecutionView[], deployments: readonly DeploymentView[]): Standing {
  const kinds = new Map(executions.map((one) => [one.execution_id, one.kind]));
  const own = deployments.filter((one) => kinds.has(one.deployment_id));
  const running = own.filter(isRunning);
  const lastTest = executions.find((one) => one.kind === "backtest") ?? null;
  const newest = own[0];
  const isLive = running.some((one) => kinds.get(one.deployment_id) === "live");
  const state: StandingState =
    workflow.archived_at != null
      ? "archived"
      : running.length > 0
        ? isLive
          ? "live"
          : "paper"
        : newest === undefined
          ? "draft"
          : newest.status === "failed"
            ? "failed"
            : "stopped";
  const symbols = running.length > 0 ? [...new Set(running.map((one) => one.symbol))].join(", ") : (newest?.symbol ?? lastTest?.symbol ?? "");
  const warnings = own.filter((one) => one.error !== "" && (isRunning(one) || one === newest)).map((one) => `${one.symbol}: ${one.error}`);
  if (running.some((one) => one.version_id !== workflow.version_id)) warnings.push("An older version than the newest runs");
  return { workflow, state, symbols, open: running.length === 0 ? null : sumOf(running.map(openProfit)), running, lastTest, warnings };
}

/** Reasons that came as one sentence, each for itself. */
export function reasonsOf(detail: string): string[] {
  return detail.split("; ").filter((reason) => reason !== "");
}

export function outcomeText(outcome: string): string {
  return outcome.replace(/_/g, " ");
}
