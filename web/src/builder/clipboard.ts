/** Pieces of graphs as they travel through the clipboard, within a strategy and from one to another. */

import { freeId } from "./editing";
import { endOf, type Graph, type GraphNode, type Wire } from "./graph";

const MARK = "alphintra.nodes";
const OFFSET = 32;
const PIECE_NODES_MAX = 200;

export interface Piece {
  nodes: readonly GraphNode[];
  edges: readonly Wire[];
  layout: Readonly<Record<string, readonly [number, number]>>;
}

/** Some nodes with the wires among them. */
export function copied(graph: Graph, ids: ReadonlySet<string>): Piece {
  const isIn = (end: string) => ids.has(endOf(end).node);
  return {
    nodes: graph.nodes.filter((node) => ids.has(node.id)),
    edges: graph.edges.filter((wire) => isIn(wire.from) && isIn(wire.to)),
    layout: Object.fromEntries(Object.entries(graph.layout).filter(([id]) => ids.has(id))),
  };
}

export function written(piece: Piece): string {
  return JSON.stringify({ format: MARK, ...piece });
}

/** A piece from text; null where the text is something else. */
export function readPiece(text: string): Piece | null {
  try {
    const found = JSON.parse(text) as Partial<Piece> & { format?: unknown };
    if (found === null || found.format !== MARK || !Array.isArray(found.nodes) || !Array.isArray(found.edges)) return null;
    const areNodes = found.nodes.every((node) => typeof node?.id === "string" && typeof node?.type === "string");
    const areWires = found.edges.every((wire) => typeof wire?.from === "string" && typeof wire?.to === "string");
    if (!areNodes || !areWires || found.nodes.length > PIECE_NODES_MAX) return null;
    const nodes = found.nodes.map((node) => ({ id: node.id, type: node.type, version: node.version ?? 1, params: node.params ?? {} }));
    return { nodes, edges: found.edges.map(({ from, to }) => ({ from, to })), layout: found.layout ?? {} };
  } catch {
    return null;
  }
}

/** With a piece beside where it was, under names that are free; returns the names it got. */
export function pasted(graph: Graph, piece: Piece): [Graph, string[]] {
  const names = new Map<string, string>();
  let next = graph;
  for (const node of piece.nodes) {
    const id = freeId(next, node.id);
    names.set(node.id, id);
    const [x, y] = piece.layout[node.id] ?? [0, 0];
    next = { ...next, nodes: [...next.nodes, { ...node, id }], layout: { ...next.layout, [id]: [x + OFFSET, y + OFFSET] } };
  }
  const end = (text: string) => {
    const { node, port } = endOf(text);
    return `${names.get(node) ?? node}.${port}`;
  };
  const wires = piece.edges.map((wire) => ({ from: end(wire.from), to: end(wire.to) }));
  return [{ ...next, edges: [...next.edges, ...wires] }, [...names.values()]];
}
