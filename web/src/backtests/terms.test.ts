import { expect, it } from "vitest";
import { bodyOf, missingOf, USUAL, valuesOf } from "./terms";

const WHOLE = { ...USUAL, strategy: "version:1", symbols: ["AAPL"] };

it.each([
  [{}, ""],
  [{ strategy: "" }, "Choose a strategy"],
  [{ symbols: [] }, "Choose a symbol"],
  [{ cash: "1e5" }, "Write cash and costs as plain numbers, such as 100000 or 2.5"],
  [{ feeBps: "-1" }, "Write cash and costs as plain numbers, such as 100000 or 2.5"],
  [{ start: "2012-01-02", end: "2012-01-02" }, "The range ends before it starts"],
])("%j: %s", (change, why) => expect(missingOf({ ...WHOLE, ...change })).toBe(why));

it("names one symbol or several, never both", () => {
  expect(bodyOf(WHOLE)).toMatchObject({ symbol: "AAPL", symbols: [], start: null, initial_cash: "100000" });
  expect(bodyOf({ ...WHOLE, symbols: ["A", "B"], start: "2012-01-02" })).toMatchObject({ symbol: "", symbols: ["A", "B"], start: "2012-01-02T00:00:00Z" });
});

it.each([
  ["2", "8", "2", 4],
  ["0.1", "0.3", "0.1", 3],
  ["5", "5", "1", 1],
  ["5", "4", "1", null],
  ["5", "9", "0", null],
  ["", "9", "1", null],
])("from %s to %s by %s are %s values", (min, max, step, many) => expect(valuesOf({ name: "x", min, max, step })).toBe(many));
