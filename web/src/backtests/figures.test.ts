import { expect, it } from "vitest";
import type { FigureView } from "../api/schema";
import { figureTone, formulaOf, shownFigure } from "./figures";

const figure = (name: string, unit: string, undefinedWhy = ""): FigureView => ({
  name,
  label: name,
  formula: "a / b",
  unit,
  source: "Somebody 1999",
  meaning: "what it means",
  undefined: undefinedWhy,
});

it.each([
  ["total_return", "fraction", 0.1234, "+12.34 %"],
  ["max_drawdown", "fraction", 0.1234, "12.34 %"],
  ["final_equity", "currency", 123456.789, "123,456.79"],
  ["best_trade", "currency", -3, "\u22123.00"],
  ["trade_count", "trades", 1234, "1,234"],
  ["sharpe", "ratio", 1.234, "1.23"],
])("%s in %s", (name, unit, value, shown) => expect(shownFigure(value, figure(name, unit))).toBe(shown));

it("says why there is no value, and never infinity or zero", () => {
  const one = figure("profit_factor", "ratio", "no losing trade");
  expect([null, undefined, Number.POSITIVE_INFINITY, Number.NaN].map((value) => shownFigure(value, one))).toEqual(
    Array(4).fill("n/a (no losing trade)"),
  );
});

it("only gains and losses have a direction", () => {
  expect([figureTone(0.1, "total_return"), figureTone(-1, "cagr"), figureTone(0, "cagr"), figureTone(0.3, "max_drawdown")]).toEqual([
    "up",
    "down",
    undefined,
    undefined,
  ]);
});

it("tells formula, unit and source", () =>
  expect(formulaOf(figure("x", "ratio"))).toBe("a / b\nUnit: ratio. Source: Somebody 1999.\nwhat it means"));
