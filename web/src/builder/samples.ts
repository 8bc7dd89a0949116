/** Node types for tests, in the form the API describes them. */

import { Catalogue, type Graph, type NodeType } from "./graph";

const input = (name: string, kind: string, more: { is_many?: boolean; is_required?: boolean } = {}) => ({
  name,
  kind,
  accepts: kind === "Bool" ? ["Bool", "Event"] : [kind],
  is_required: more.is_required ?? true,
  is_many: more.is_many ?? false,
});

const type = (name: string, given: Partial<NodeType>): NodeType => ({
  type: name,
  version: 1,
  group: "test",
  summary: "",
  inputs: [],
  outputs: [],
  params: [],
  is_source: false,
  is_sink: false,
  ...given,
});

export const CATALOGUE = new Catalogue({
  schema: 1,
  timeframes: ["1h", "1d"],
  nodes: [
    type("Bars", { group: "source", outputs: ["open", "close"].map((name) => ({ name, kind: "Num" })), is_source: true }),
    type("SMA", { inputs: [input("in", "Num")], outputs: [{ name: "out", kind: "Num" }] }),
    type("CrossBelow", { inputs: [input("a", "Num"), input("b", "Num")], outputs: [{ name: "out", kind: "Event" }] }),
    type("Compare", { inputs: [input("a", "Num"), input("b", "Num")], outputs: [{ name: "out", kind: "Bool" }] }),
    type("Edge", { inputs: [input("in", "Bool")], outputs: [{ name: "out", kind: "Event" }] }),
    type("All", { inputs: [input("in", "Bool", { is_many: true })], outputs: [{ name: "out", kind: "Bool" }] }),
    type("OnEvent", { inputs: [input("when", "Event")], outputs: [{ name: "out", kind: "Event" }] }),
    type("Plot", { inputs: [input("value", "Num")], is_sink: true }),
  ],
});

export const GRAPH: Graph = {
  schema: 1,
  name: "sample",
  timeframe: "1d",
  nodes: [
    { id: "bars", type: "Bars", version: 1, params: {} },
    { id: "fast", type: "SMA", version: 1, params: { period: 5 } },
    { id: "slow", type: "SMA", version: 1, params: { period: 20 } },
    { id: "below", type: "CrossBelow", version: 1, params: {} },
    { id: "above", type: "Compare", version: 1, params: { op: "gt" } },
    { id: "both", type: "All", version: 1, params: {} },
    { id: "plot", type: "Plot", version: 1, params: {} },
  ],
  edges: [
    { from: "bars.close", to: "fast.in" },
    { from: "bars.close", to: "slow.in" },
    { from: "fast.out", to: "below.a" },
    { from: "slow.out", to: "below.b" },
    { from: "bars.close", to: "above.a" },
    { from: "slow.out", to: "above.b" },
    { from: "below.out", to: "both.in" },
    { from: "above.out", to: "both.in" },
    { from: "fast.out", to: "plot.value" },
  ],
  layout: {},
  exposed: { "fast.period": { min: 2, max: 10, step: 1 } },
  constraints: ["fast.period < slow.period"],
};

/** Pseudo-random numbers that are the same in every run. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
