import { expect, it } from "vitest";
import { windowOf } from "./useWindowed";

it("draws few rows whole", () => {
  expect(windowOf(500, 4000, 600, 28)).toEqual({ from: 0, to: 500, isWindowed: false });
});

it("draws of many those in view and some around them, to the very last", () => {
  expect(windowOf(10_000, 0, 560, 28)).toEqual({ from: 0, to: 40, isWindowed: true });
  expect(windowOf(10_000, 28_000, 560, 28)).toEqual({ from: 980, to: 1040, isWindowed: true });
  expect(windowOf(10_000, 280_000 - 560, 560, 28).to).toBe(10_000);
  expect(windowOf(600, 1e9, 560, 28)).toEqual({ from: 600, to: 600, isWindowed: true });
});
