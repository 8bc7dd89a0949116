/** Which wires may be drawn. What an input takes stands in the description of its node: nothing is known here by itself. */

import { type Catalogue, endOf, type Graph, type InputPort, nodeOf, type OutputPort, type Wire } from "./graph";

const HINTS_MAX = 3;

export function outputAt(graph: Graph, catalogue: Catalogue, end: string): OutputPort | undefined {
  const { node, port } = endOf(end);
  const found = nodeOf(graph, node);
  return found && catalogue.of(found)?.outputs.find((each) => each.name === port);
}

export function inputAt(graph: Graph, catalogue: Catalogue, end: string): InputPort | undefined {
  const { node, port } = endOf(end);
  const found = nodeOf(graph, node);
  return found && catalogue.of(found)?.inputs.find((each) => each.name === port);
}

/** Why a wire may not be drawn, with what to do instead; null where it may. A wire that is in its place is replaced. */
export function refusal(graph: Graph, catalogue: Catalogue, { from, to }: Wire): string | null {
  const source = endOf(from).node;
  const target = endOf(to).node;
  const output = outputAt(graph, catalogue, from);
  const input = inputAt(graph, catalogue, to);
  if (output === undefined) return `${from} is no output: draw from the right side of a node.`;
  if (input === undefined) return `${to} is no input: draw to the left side of a node.`;
  if (source === target) return `${source} cannot feed itself.`;
  if (!input.accepts.includes(output.kind)) {
    return `${from} carries ${output.kind}, ${to} takes ${input.accepts.join(" or ")}.${converting(catalogue, output, input)}`;
  }
  if (graph.edges.some((wire) => wire.from === from && wire.to === to)) return `${from} and ${to} are wired already.`;
  const way = pathBetween(graph, target, source);
  if (way !== null) return `This would be a circle: ${[...way, target].join(" \u2192 ")}.`;
  return null;
}

/** Name nodes that make the one kind into the other. */
function converting(catalogue: Catalogue, output: OutputPort, input: InputPort): string {
  const found = [...catalogue.newest.values()].filter(
    (each) =>
      each.inputs.length > 0 &&
      each.inputs.every((port) => port.accepts.includes(output.kind)) &&
      each.outputs.some((port) => input.accepts.includes(port.kind)),
  );
  const fewest = found.sort((a, b) => a.inputs.length + a.params.length - (b.inputs.length + b.params.length));
  return found.length === 0 ? "" : ` Between them fits ${fewest.slice(0, HINTS_MAX).map((each) => each.type).join(", ")}.`;
}

/** Nodes on a way along the wires, both ends included; null where there is none. */
export function pathBetween(graph: Graph, from: string, to: string): string[] | null {
  const next = new Map<string, string[]>();
  for (const wire of graph.edges) {
    const source = endOf(wire.from).node;
    next.set(source, [...(next.get(source) ?? []), endOf(wire.to).node]);
  }
  const came = new Map<string, string>([[from, ""]]);
  const waiting = [from];
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    if (node === to) {
      const way = [node];
      for (let at = came.get(node); at !== undefined && at !== ""; at = came.get(at)) way.unshift(at);
      return way;
    }
    for (const child of next.get(node) ?? []) {
      if (!came.has(child)) {
        came.set(child, node);
        waiting.push(child);
      }
    }
  }
  return null;
}

/** Every output of a graph for one of its inputs: those that may be wired, and the others with the reason. */
export function offers(graph: Graph, catalogue: Catalogue, to: string): { from: string; reason: string | null }[] {
  const free: Graph = { ...graph, edges: graph.edges.filter((wire) => wire.to !== to) };
  return graph.nodes.flatMap((node) =>
    node.id === endOf(to).node
      ? []
      : (catalogue.of(node)?.outputs ?? []).map((port) => {
          const from = `${node.id}.${port.name}`;
          return { from, reason: refusal(free, catalogue, { from, to }) };
        }),
  );
}
