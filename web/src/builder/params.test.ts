import { expect, it } from "vitest";
import type { Param } from "./graph";
import { rangeAround, readParam } from "./params";

const param = (kind: Param["kind"], minimum: string | null = null, maximum: string | null = null, isOpen = false): Param => ({
  name: "p",
  kind,
  summary: "",
  default: null,
  is_required: true,
  allowed: "",
  choices: [],
  minimum,
  maximum,
  is_minimum_open: isOpen,
});

it.each([
  [param("int", "1", "5000"), "14", 14],
  [param("int", "1", "5000"), "0", "refused"],
  [param("int", "1", "5000"), "1.5", "refused"],
  [param("int", "1", "5000"), "5001", "refused"],
  [param("decimal", "0", "99", true), "0", "refused"],
  [param("decimal", "0", "99", true), "0.10", "0.10"],
  [param("decimal"), "1e5", "refused"],
  [param("number"), "30", 30],
  [param("number"), "x", "refused"],
  [param("symbol"), " aapl ", "AAPL"],
  [param("text"), " a b", " a b"],
  [param("text"), "", undefined],
  [param("int"), "", undefined],
])("%o reads %s as %s", (given, typed, expected) => {
  const found = readParam(given, typed);
  expect(found.isRight ? found.value : "refused").toBe(expected);
});

it.each([14, 3, 1, 250, 2])("suggests a range of whole steps that meets %i", (value) => {
  const range = rangeAround(param("int", "1", "5000"), value);
  const [min, max, step] = [Number(range.min), Number(range.max), Number(range.step)];
  expect((value - min) % step).toBe(0);
  expect((max - min) % step).toBe(0);
  expect(min).toBeGreaterThanOrEqual(1);
  expect(min <= value && value <= max).toBe(true);
});

it("suggests decimals as text", () => expect(rangeAround(param("decimal", "0", "100", true), "2")).toEqual({ min: "1.1", max: "3.8", step: "0.3" }));
