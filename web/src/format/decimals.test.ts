import { expect, it } from "vitest";
import { compareDecimals, negated, sumOf } from "./decimals";

it("compares digits, not floats", () => {
  expect(compareDecimals("0.1000000000000000000001", "0.1")).toBe(1);
  expect(compareDecimals("9007199254740993", "9007199254740992")).toBe(1);
  expect(compareDecimals("-10", "-9.5")).toBe(-1);
  expect(compareDecimals("-0", "0.00")).toBe(0);
  expect(compareDecimals("1.50", "1.5")).toBe(0);
  expect(compareDecimals("AAPL", "1")).toBeNull();
});

it("adds exactly and leaves out what is none", () => {
  expect(sumOf(["0.1", "0.2", "-", "1e9"])).toBe("0.3");
  expect(sumOf(["-0.05", "0.01"])).toBe("-0.04");
  expect(sumOf(["9007199254740993", "0.000000001"])).toBe("9007199254740993.000000001");
  expect(sumOf([])).toBe("0");
});

it("negates text", () => {
  expect([negated("1.50"), negated("-0.05"), negated("0.0")]).toEqual(["-1.50", "0.05", "0.0"]);
});
