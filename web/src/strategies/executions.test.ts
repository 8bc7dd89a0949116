import { expect, it } from "vitest";
import { namesOf } from "./executions";

it("calls what runs by its strategy's name and the version that runs, not by the newest", () => {
  const run = { workflow_name: "Trend", execution_id: "a", version: 2 };
  expect([...namesOf([run, { ...run, execution_id: "b", version: 3 }])]).toEqual([
    ["a", "Trend v2"],
    ["b", "Trend v3"],
  ]);
});
