import { expect, it } from "vitest";
import type { BacktestView, ConnectionView, DeploymentView, SampleView } from "../api/schema";
import { isThrough, stepsOf } from "./checklist";

const run = (run_hash: string, status = "finished") => ({ backtest_id: run_hash, run_hash, status }) as BacktestView;
const deployed = (deployment_id: string) => ({ deployment_id }) as DeploymentView;
const SAMPLE = { state: "there", deployment_id: "sample", workflow_id: "w" } as SampleView;
const done = (known: Partial<Parameters<typeof stepsOf>[0]>) =>
  stepsOf({ backtests: [], deployments: [], connections: [], sample: SAMPLE, ...known }).map((step) => step.isDone);

it("counts finished runs that differ, and deployments of one's own", () => {
  expect(done({})).toEqual([false, false, false, false]);
  expect(done({ backtests: [run("a"), run("a"), run("b", "failed")], deployments: [deployed("sample")] })).toEqual([true, false, false, false]);
  expect(done({ backtests: [run("a"), run("b")], deployments: [deployed("sample"), deployed("mine")] })).toEqual([true, true, true, false]);
  expect(done({ connections: [{ adapter: "paper" } as ConnectionView] })[3]).toBe(false);
  expect(done({ connections: [{ adapter: "alpaca" } as ConnectionView] })[3]).toBe(true);
});

it("is through without what is optional", () => {
  const known = { backtests: [run("a"), run("b")], deployments: [deployed("mine")], connections: [], sample: SAMPLE };
  expect(isThrough(stepsOf(known))).toBe(true);
  expect(isThrough(stepsOf({ ...known, deployments: [deployed("sample")] }))).toBe(false);
});
