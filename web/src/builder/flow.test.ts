import { expect, it } from "vitest";
import { flowEdges, flowNodes, wireOf } from "./flow";
import { CATALOGUE, GRAPH } from "./samples";
import { barsPath, linePath, valueText } from "./values";

const placed = { ...GRAPH, layout: { bars: [16, 32] as [number, number] } };

it("gives each wire back as it was drawn", () =>
  expect(flowEdges(GRAPH, CATALOGUE, new Set()).map(wireOf)).toEqual(GRAPH.edges));

it("keeps the objects of nodes that stay as they were", () => {
  const about = { selected: new Set<string>(), measured: { bars: { width: 192, height: 100 } } };
  const first = flowNodes(placed, CATALOGUE, { ...about, before: new Map() });
  const before = new Map(first.map((node) => [node.id, node]));
  const again = flowNodes({ ...placed }, CATALOGUE, { ...about, before });
  expect(again.every((node, place) => node === first[place])).toBe(true);
  const chosen = flowNodes(placed, CATALOGUE, { ...about, selected: new Set(["bars"]), before });
  expect(chosen.filter((node) => !first.includes(node)).map((node) => node.id)).toEqual(["bars"]);
  expect(chosen[0]).toMatchObject({ position: { x: 16, y: 32 }, selected: true, ariaLabel: "bars, Bars" });
});

it.each([
  ["Num", 1234.5678, "1,234.57"],
  ["Num", 0.00001234, "0.000012"],
  ["Bool", 1, "yes"],
  ["Event", 0, "no"],
  ["Signal", -1, "short"],
  ["Num", null, "\u2014"],
])("%s %s is shown as %s", (kind, value, shown) => expect(valueText(kind, value)).toBe(shown));

it("draws gaps as gaps and a flat course in the middle", () => {
  expect(linePath([1, null, 3, 2], 30, 10)).toBe("M0.0 10.0M20.0 0.0L30.0 5.0");
  expect(linePath([5, 5], 10, 10)).toBe("M0.0 5.0L10.0 5.0");
  expect(barsPath([0, 1, 1, null, 1], 50, 8)).toBe("M10.0 0h20.0v8h-20.0zM40.0 0h10.0v8h-10.0z");
});
