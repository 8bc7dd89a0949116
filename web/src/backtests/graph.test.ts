import { expect, it } from "vitest";
import { differencesOf, parametersOf } from "./graph";

it("reads parameters as the API names them", () =>
  expect(
    parametersOf({ nodes: [{ id: "fast", type: "Sma", params: { period: 10, source: "close", size: "0.95" } }, { id: "out", type: "Output" }] }).map(
      ({ name, value, isNumber }) => [name, value, isNumber],
    ),
  ).toEqual([
    ["fast.period", "10", true],
    ["fast.source", "close", false],
    ["fast.size", "0.95", true],
  ]));

it.each([null, undefined, [], {}, "x"])("%j has none", (graph) => expect(parametersOf(graph)).toEqual([]));

it("shows what differs and what only some have", () =>
  expect(
    differencesOf([
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
      new Map([
        ["a", "1"],
        ["b", "3"],
        ["c", "4"],
      ]),
    ]),
  ).toEqual([
    { name: "b", values: ["2", "3"] },
    { name: "c", values: [null, "4"] },
  ]));
