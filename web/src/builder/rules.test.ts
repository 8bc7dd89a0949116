import { describe, expect, it } from "vitest";
import { arranged, crossings } from "./arrange";
import { copied, pasted, readPiece, written } from "./clipboard";
import { differences } from "./difference";
import { freePlace, idOfType, inserted, renamed, renameRefusal, withInputs, withNode, withoutNodes, withoutWires, withParam, withWire } from "./editing";
import { endOf, fingerprint, type Graph, nodeOf, starter, wireKey } from "./graph";
import { begun, changed, type History, redone, settled, STEPS_MAX, undone } from "./history";
import { offers, pathBetween, refusal } from "./ports";
import { CATALOGUE, dice, GRAPH } from "./samples";
import { COLUMN, heightOf, WIDTH } from "./sizes";

const wire = (from: string, to: string) => ({ from, to });

/** A graph somebody drew at random, by the editor's own rules. */
function drawn(seed: number): Graph {
  const roll = dice(seed);
  const types = [...CATALOGUE.newest.keys()];
  let graph = starter("random");
  for (let step = 0; step < 60; step++) {
    const ids = graph.nodes.map((node) => node.id);
    const some = ids[roll(ids.length)] ?? "bars";
    const choice = roll(10);
    if (choice < 4) [graph] = withNode(graph, CATALOGUE, types[roll(types.length)] ?? "SMA", [roll(900), roll(600)]);
    else if (choice < 8) {
      const outputs = graph.nodes.flatMap((n) => (CATALOGUE.of(n)?.outputs ?? []).map((port) => `${n.id}.${port.name}`));
      const inputs = graph.nodes.flatMap((n) => (CATALOGUE.of(n)?.inputs ?? []).map((port) => `${n.id}.${port.name}`));
      const next = wire(outputs[roll(outputs.length)] ?? "", inputs[roll(inputs.length)] ?? "");
      if (refusal(graph, CATALOGUE, next) === null) graph = withWire(graph, CATALOGUE, next);
    } else if (choice === 8 && ids.length > 3) graph = withoutNodes(graph, new Set([some]));
    else graph = renamed(graph, some, `n${step}`);
  }
  return graph;
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);

describe("wires", () => {
  it.each([
    ["bars.close", "fast.in", "wired already"],
    ["bars.open", "both.in", "carries Num, both.in takes Bool or Event. Between them fits CrossBelow, Compare."],
    ["above.out", "slow.in", "carries Bool, slow.in takes Num."],
    ["slow.in", "fast.in", "is no output"],
    ["bars.close", "bars.close", "is no input"],
    ["nobody.out", "fast.in", "is no output"],
    ["fast.out", "fast.in", "cannot feed itself"],
  ])("%s to %s is refused: %s", (from, to, why) => expect(refusal(GRAPH, CATALOGUE, wire(from, to))).toContain(why));

  it("takes an event where a condition is taken, never the reverse, and names what lies between", () => {
    const [graph] = withNode(GRAPH, CATALOGUE, "OnEvent", [0, 0]);
    expect(refusal(GRAPH, CATALOGUE, wire("below.out", "both.in"))).toContain("wired already");
    expect(refusal(graph, CATALOGUE, wire("above.out", "on_event.when"))).toBe(
      "above.out carries Bool, on_event.when takes Event. Between them fits Edge.",
    );
    expect(refusal(graph, CATALOGUE, wire("below.out", "on_event.when"))).toBeNull();
  });

  it("makes no circle, and says which it would be", () => {
    const free = withoutWires(GRAPH, new Set(["bars.close>fast.in"]));
    const [graph] = withNode(free, CATALOGUE, "SMA", [0, 0]);
    const through = withWire(graph, CATALOGUE, wire("fast.out", "sma.in"));
    expect(refusal(through, CATALOGUE, wire("sma.out", "fast.in"))).toBe("This would be a circle: fast \u2192 sma \u2192 fast.");
    expect(pathBetween(GRAPH, "both", "bars")).toBeNull();
  });

  it("replaces the wire of an input that takes one, and adds to one that takes several", () => {
    expect(withWire(GRAPH, CATALOGUE, wire("bars.open", "fast.in")).edges.filter((one) => one.to === "fast.in")).toEqual([
      wire("bars.open", "fast.in"),
    ]);
    expect(GRAPH.edges.filter((one) => one.to === "both.in")).toHaveLength(2);
    const some = withInputs(GRAPH, CATALOGUE, "both.in", ["above.out", "fast.out"]);
    expect(some.edges.filter((one) => one.to === "both.in")).toEqual([wire("above.out", "both.in")]);
  });

  it("offers each output once, with the reason where it may not be wired", () => {
    const found = offers(GRAPH, CATALOGUE, "fast.in");
    expect(found.find((one) => one.from === "bars.close")?.reason).toBeNull();
    expect(found.find((one) => one.from === "above.out")?.reason).toContain("carries Bool");
    expect(found.some((one) => one.from.startsWith("fast."))).toBe(false);
  });
});

describe("changes", () => {
  it("names nodes after their type, each once", () => {
    expect(["CrossBelow", "RSI", "BollingerBands", "T3"].map(idOfType)).toEqual(["cross_below", "rsi", "bollinger_bands", "t3"]);
    const [one] = withNode(GRAPH, CATALOGUE, "SMA", [3, 9]);
    const [two, id] = withNode(one, CATALOGUE, "SMA", [3, 9]);
    expect(id).toBe("sma_2");
    expect(two.layout[id]).toEqual([0, 16]);
  });

  it("renames a node wherever it is named", () => {
    const next = renamed(GRAPH, "fast", "quick");
    expect(next.constraints).toEqual(["quick.period < slow.period"]);
    expect(Object.keys(next.exposed)).toEqual(["quick.period"]);
    expect(next.edges.filter((one) => endOf(one.from).node === "quick")).toHaveLength(2);
    expect(fingerprint(renamed(next, "quick", "fast"))).toBe(fingerprint(GRAPH));
    expect(renameRefusal(GRAPH, "fast", "slow")).toBe("slow is taken");
    expect(renameRefusal(GRAPH, "fast", "9x")).toContain("a letter");
  });

  it("takes wires and what is said of parameters along with a node", () => {
    const next = withoutNodes(GRAPH, new Set(["fast"]));
    expect([next.exposed, next.constraints]).toEqual([{}, []]);
    expect(next.edges.some((one) => `${one.from}${one.to}`.includes("fast"))).toBe(false);
  });

  it("puts a node into a wire where both sides fit, and nowhere else", () => {
    const [graph, id] = withNode(GRAPH, CATALOGUE, "SMA", [0, 0]);
    const next = inserted(graph, CATALOGUE, wire("bars.close", "slow.in"), id);
    expect(next?.edges.slice(-2).map(wireKey)).toEqual(["bars.close>sma.in", "sma.out>slow.in"]);
    expect(next?.edges.map(wireKey)).not.toContain("bars.close>slow.in");
    expect(inserted(graph, CATALOGUE, wire("above.out", "both.in"), id)).toBeNull();
  });

  it("sets a parameter and takes it back to its default", () => {
    expect(nodeOf(withParam(GRAPH, "fast", "period", 7), "fast")?.params).toEqual({ period: 7 });
    expect(nodeOf(withParam(GRAPH, "fast", "period", undefined), "fast")?.params).toEqual({});
  });

  it.each(SEEDS)("of a random drawing (%i) leave no loose wire, no circle, no name twice", (seed) => {
    const graph = drawn(seed);
    const ids = graph.nodes.map((node) => node.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const one of graph.edges) {
      const rest = { ...graph, edges: graph.edges.filter((each) => each !== one) };
      expect(refusal(rest, CATALOGUE, one)).toBeNull();
    }
    expect(Object.keys(graph.layout).sort()).toEqual(ids.sort());
    expect(freePlace(graph).every((part) => part % 16 === 0)).toBe(true);
  });
});

describe("steps", () => {
  it.each(SEEDS)("are taken back and done again exactly (%i)", (seed) => {
    const roll = dice(seed);
    let history: History<number> = begun(0);
    const model = [0];
    let at = 0;
    for (let step = 1; step < 80; step++) {
      const choice = roll(3);
      if (choice === 0) [history, at] = [undone(history), Math.max(0, at - 1)];
      else if (choice === 1) [history, at] = [redone(history), Math.min(model.length - 1, at + 1)];
      else {
        history = changed(history, step);
        model.splice(++at, model.length, step);
      }
      expect(history.present).toBe(model[at]);
    }
  });

  it("are a hundred, and what belongs together is one", () => {
    let history = begun(0);
    for (let step = 1; step <= STEPS_MAX + 20; step++) history = changed(history, step);
    expect(history.past).toHaveLength(STEPS_MAX);
    history = changed(changed(changed(history, 500, "drag"), 501, "drag"), 502, "drag");
    expect(undone(history).present).toBe(STEPS_MAX + 20);
    expect(undone(changed(settled(history), 503, "drag")).present).toBe(502);
    expect(changed(history, history.present)).toBe(history);
  });
});

describe("the clipboard", () => {
  it("carries nodes with the wires among them under free names", () => {
    const piece = readPiece(written(copied(GRAPH, new Set(["fast", "slow", "below"]))));
    expect(piece).not.toBeNull();
    if (piece === null) return;
    const [next, ids] = pasted(GRAPH, piece);
    expect(ids).toEqual(["fast_2", "slow_2", "below_2"]);
    expect(next.edges.slice(GRAPH.edges.length).map(wireKey)).toEqual(["fast_2.out>below_2.a", "slow_2.out>below_2.b"]);
    expect(fingerprint(withoutNodes(next, new Set(ids)))).toBe(fingerprint(GRAPH));
  });

  it.each(["", "null", "[]", '{"format":"alphintra.nodes"}', '{"format":"alphintra.nodes","nodes":[{}],"edges":[]}', "text"])(
    "takes %s for something else",
    (text) => expect(readPiece(text)).toBeNull(),
  );
});

describe("arranging", () => {
  it.each(SEEDS)("of a random drawing (%i) leads from left to right and lays nothing over another", (seed) => {
    const graph = arranged(drawn(seed), CATALOGUE);
    for (const one of graph.edges) {
      expect((graph.layout[endOf(one.to).node]?.[0] ?? 0) - (graph.layout[endOf(one.from).node]?.[0] ?? 0)).toBeGreaterThanOrEqual(COLUMN);
    }
    graph.nodes.forEach((a, index) => {
      for (const b of graph.nodes.slice(index + 1)) {
        const [ax = 0, ay = 0] = graph.layout[a.id] ?? [];
        const [bx = 0, by = 0] = graph.layout[b.id] ?? [];
        const isApart =
          Math.abs(ax - bx) >= WIDTH || ay + heightOf(CATALOGUE.of(a)) <= by || by + heightOf(CATALOGUE.of(b)) <= ay;
        expect(isApart).toBe(true);
      }
    });
    expect(fingerprint({ ...graph, layout: {} })).toBe(fingerprint({ ...drawn(seed), layout: {} }));
  });

  it("counts crossings", () => {
    expect(crossings([["a", "b"], ["c", "d"]], [["a", "d"], ["b", "c"]])).toBe(1);
    expect(crossings([["a", "b"], ["c", "d"]], [["a", "c"], ["b", "d"]])).toBe(0);
  });
});

describe("differences", () => {
  it("are none, or what a person did", () => {
    expect(differences(GRAPH, { ...GRAPH, nodes: [...GRAPH.nodes].reverse() })).toEqual([]);
    const next = withParam(withoutNodes(GRAPH, new Set(["plot"])), "slow", "period", 50);
    expect(differences(GRAPH, next)).toEqual([
      "Node plot (Plot) is gone.",
      "slow.period is 50, it was 20.",
      "Wire fast.out \u2192 plot.value is gone.",
    ]);
    expect(differences(GRAPH, { ...GRAPH, layout: { bars: [16, 0] } })).toEqual(["Only the places of nodes differ."]);
  });
});
