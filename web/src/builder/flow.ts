/** The graph as the canvas wants it, and back. */

import type { Edge, Node } from "@xyflow/react";
import { type Catalogue, endOf, type Graph, type Wire, wireKey } from "./graph";
import { outputAt } from "./ports";
import { heightOf, WIDTH } from "./sizes";

export type Measured = Readonly<Record<string, { width: number; height: number }>>;

/** Nodes for the canvas; one that stays as it was stays the same object, so that nothing is drawn twice. */
export function flowNodes(
  graph: Graph,
  catalogue: Catalogue,
  about: { selected: ReadonlySet<string>; measured: Measured; before: ReadonlyMap<string, Node> },
): Node[] {
  return graph.nodes.map((node) => {
    const [x, y] = graph.layout[node.id] ?? [0, 0];
    const size = about.measured[node.id];
    const selected = about.selected.has(node.id);
    const height = heightOf(catalogue.of(node));
    const was = about.before.get(node.id);
    const isSame =
      was !== undefined &&
      was.position.x === x &&
      was.position.y === y &&
      was.selected === selected &&
      was.height === height &&
      was.measured?.width === size?.width &&
      was.measured?.height === size?.height &&
      was.data["type"] === node.type;
    if (isSame) return was;
    return {
      id: node.id,
      type: "block",
      position: { x, y },
      data: { type: node.type },
      selected,
      width: WIDTH,
      height,
      ariaLabel: `${node.id}, ${node.type}`,
      ...(size === undefined ? {} : { measured: size }),
    };
  });
}

export function flowEdges(graph: Graph, catalogue: Catalogue, selected: ReadonlySet<string>): Edge[] {
  return graph.edges.map((wire) => {
    const [source, target] = [endOf(wire.from), endOf(wire.to)];
    const id = wireKey(wire);
    return {
      id,
      source: source.node,
      sourceHandle: source.port,
      target: target.node,
      targetHandle: target.port,
      selected: selected.has(id),
      className: `wire is-${outputAt(graph, catalogue, wire.from)?.kind.toLowerCase() ?? "unknown"}`,
      ariaLabel: `${wire.from} to ${wire.to}`,
    };
  });
}

interface Connecting {
  source: string | null;
  target: string | null;
  sourceHandle?: string | null;
  targetHandle?: string | null;
}

export function wireOf(drawn: Connecting): Wire {
  return { from: `${drawn.source ?? ""}.${drawn.sourceHandle ?? ""}`, to: `${drawn.target ?? ""}.${drawn.targetHandle ?? ""}` };
}
