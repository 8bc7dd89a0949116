import { expect, it } from "vitest";
import type { DeploymentView, WorkflowExecutionView, WorkflowView } from "../api/schema";
import { openProfit, reasonsOf, standingOf } from "./standing";

const workflow = { workflow_id: "w", name: "one", version_id: "v2", version: 2, archived_at: null } as WorkflowView;
const deployment = (given: Partial<DeploymentView>): DeploymentView =>
  ({ deployment_id: "d", version_id: "v2", symbol: "AAPL", status: "active", error: "", capital: "1000", equity: "1040", realized_pnl: "30", fees: "5", ...given }) as DeploymentView;
const execution = (kind: string, id: string) => ({ execution_id: id, kind, symbol: "IBM" }) as WorkflowExecutionView;

it("counts what is not booked yet, and no fee twice", () => {
  // 1000 + 30 booked + 15 open - 5 fees
  expect(openProfit({ capital: "1000", equity: "1040", realized_pnl: "30", fees: "5" })).toBe("15");
  expect(openProfit({ capital: "0.1", equity: "0.3", realized_pnl: "0.2", fees: "0.0" })).toBe("0.0");
});

it.each([
  [[], [], "draft"],
  [[execution("paper", "d")], [deployment({})], "paper"],
  [[execution("live", "d")], [deployment({})], "live"],
  [[execution("paper", "d")], [deployment({ status: "stopped" })], "stopped"],
  [[execution("paper", "d")], [deployment({ status: "failed", error: "ALGORITHM_DIED" })], "failed"],
  [[execution("paper", "other")], [deployment({})], "draft"],
])("%# is told from what runs and ran", (executions, deployments, state) =>
  expect(standingOf(workflow, executions, deployments).state).toBe(state),
);

it("warns of failures and of older versions that run", () => {
  const found = standingOf(workflow, [execution("paper", "d"), execution("backtest", "b")], [deployment({ version_id: "v1", error: "FEED" })]);
  expect(found.warnings).toEqual(["AAPL: FEED", "An older version than the newest runs"]);
  expect([found.open, found.lastTest?.execution_id]).toEqual(["15", "b"]);
  expect(standingOf({ ...workflow, archived_at: "2026-01-01T00:00:00Z" }, [], []).state).toBe("archived");
});

it("tells every reason by itself", () => expect(reasonsOf("no shorts; no day orders")).toEqual(["no shorts", "no day orders"]));
