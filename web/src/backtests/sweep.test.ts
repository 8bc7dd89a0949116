import { expect, it } from "vitest";
import type { TrialView } from "../api/schema";
import { heatOf, trialAt } from "./sweep";

const SURFACE = {
  values: { "fast.period": ["2", "4"], "size.pct": ["1"], "slow.period": ["8", "12"] },
  rows: [
    [0, 0, 0, 1.5],
    [1, 0, 0, null],
    [1, 0, 1, 2.5],
    [1, 0, 1, 0.5],
  ],
};

it("lays scores over the two parameters that were turned, the best of several in a cell", () => {
  const heat = heatOf(SURFACE);
  expect([heat?.rowName, heat?.columnName]).toEqual(["fast.period", "slow.period"]);
  expect(heat?.cells.map((row) => row.map((cell) => cell?.score ?? null))).toEqual([
    [1.5, null],
    [null, 2.5],
  ]);
  expect(heat?.best?.point).toEqual({ "fast.period": "4", "size.pct": "1", "slow.period": "12" });
});

it("is one row over one parameter, and none over none", () => {
  const heat = heatOf({ values: { "fast.period": ["2", "4"] }, rows: [[1, 3]] });
  expect([heat?.rowName, heat?.rows.length, heat?.cells[0]?.[1]?.score]).toEqual(["", 1, 3]);
  expect([heatOf(null), heatOf({})]).toEqual([null, null]);
});

it("finds the trial of a point, however its numbers are written", () => {
  const trials = [
    { role: "test", parameters: { a: "1.5" } },
    { role: "sweep", parameters: { a: "1.50" } },
  ] as unknown as TrialView[];
  expect(trialAt(trials, { a: "1.5" })).toBe(trials[1]);
  expect(trialAt(trials, { a: "2" })).toBeUndefined();
});
