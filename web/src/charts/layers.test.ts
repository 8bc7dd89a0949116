import { describe, expect, it } from "vitest";
import { columnsOf, csvOf, fallsOf, lastOf, type PaneSpec, rangeOf, rangeStart, rowsOf } from "./layers";

const write = String;
const PANES: PaneSpec[] = [
  { id: "price", share: 3, layers: [{ kind: "candles", id: "p", label: "AAPL", write, points: [{ at: 60, open: 1, high: 4, low: 0.5, close: 2 }] }] },
  {
    id: "equity",
    share: 1,
    layers: [
      { kind: "line", id: "e", label: 'Equity, "net"', ink: "accent", write, points: [{ at: 0, value: 100 }, { at: 60, value: 90 }] },
    ],
  },
];

describe("a chart as a table", () => {
  it("has a row for each instant any layer knows, newest first", () =>
    expect(rowsOf(PANES).map(({ at, values }) => [at, values.get("p.close"), values.get("e")])).toEqual([
      [60, 2, 90],
      [0, undefined, 100],
    ]));

  it("has four columns for candles", () =>
    expect(columnsOf(PANES).map((one) => one.label)).toEqual(["Open", "High", "Low", "Close", 'Equity, "net"']));

  it("is CSV, oldest first, empty where a layer has nothing", () =>
    expect(csvOf(PANES).split("\r\n")).toEqual([
      'Time,Open,High,Low,Close,"Equity, ""net"""',
      "1970-01-01T00:00:00Z,,,,,100",
      "1970-01-01T00:01:00Z,1,4,0.5,2,90",
      "",
    ]));
});

describe("ranges", () => {
  it("count back from the last point of any layer", () => {
    expect(lastOf(PANES)).toBe(60);
    expect(lastOf([])).toBeNull();
    expect(rangeStart("1M", 31 * 86_400)).toBe(0);
    expect(rangeStart("All", 5)).toBeNull();
  });

  it("are all there is where the address holds nonsense", () =>
    expect([rangeOf("1Y"), rangeOf("1y"), rangeOf(3)]).toEqual(["1Y", "All", "All"]));
});

it("a fall is measured from the highest value so far, not from the first", () =>
  expect(fallsOf([100, 200, 150, 250, 125].map((value, at) => ({ at, value }))).map((one) => one.value)).toEqual([
    0, 0, -0.25, 0, -0.5,
  ]));
