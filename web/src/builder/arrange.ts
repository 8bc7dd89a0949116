/** Places for all nodes: columns along the wires, and in a column the order that crosses fewest of them. */

import { type Catalogue, endOf, type Graph } from "./graph";
import { COLUMN, heightOf, snapped } from "./sizes";

const GAP = 24;
const SWEEPS = 6;

export function arranged(graph: Graph, catalogue: Catalogue): Graph {
  const columns = ordered(graph, columnsOf(graph));
  const heights = new Map(graph.nodes.map((node) => [node.id, heightOf(catalogue.of(node))]));
  const total = (column: string[]) => column.reduce((sum, id) => sum + (heights.get(id) ?? 0) + GAP, -GAP);
  const tallest = Math.max(0, ...columns.map(total));
  const layout: Record<string, [number, number]> = {};
  columns.forEach((column, place) => {
    let y = (tallest - total(column)) / 2;
    for (const id of column) {
      layout[id] = [snapped(place * COLUMN), snapped(y)];
      y += (heights.get(id) ?? 0) + GAP;
    }
  });
  return { ...graph, layout };
}

function wiresOf(graph: Graph): [string, string][] {
  const known = new Set(graph.nodes.map((node) => node.id));
  return graph.edges
    .map((wire): [string, string] => [endOf(wire.from).node, endOf(wire.to).node])
    .filter(([from, to]) => known.has(from) && known.has(to) && from !== to);
}

/** Each node one column behind the last of what it reads, and what reads nothing just before its reader. */
function columnsOf(graph: Graph): string[][] {
  const wires = wiresOf(graph);
  const level = new Map(graph.nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < graph.nodes.length; round++) {
    let isStill = true;
    for (const [from, to] of wires) {
      const least = Math.min((level.get(from) ?? 0) + 1, graph.nodes.length - 1);
      if ((level.get(to) ?? 0) < least) {
        level.set(to, least);
        isStill = false;
      }
    }
    if (isStill) break;
  }
  const reads = new Set(wires.map(([, to]) => to));
  for (const { id } of graph.nodes) {
    const readers = wires.filter(([from]) => from === id).map(([, to]) => level.get(to) ?? 0);
    if (!reads.has(id) && readers.length > 0) level.set(id, Math.max(0, Math.min(...readers) - 1));
  }
  const columns: string[][] = [];
  for (const { id } of graph.nodes) (columns[level.get(id) ?? 0] ??= []).push(id);
  return columns.filter((column) => column !== undefined);
}

function ordered(graph: Graph, columns: string[][]): string[][] {
  const wires = wiresOf(graph);
  let best = columns;
  let current = columns;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForward = sweep % 2 === 0;
    const place = new Map(current.flatMap((column) => column.map((id, at): [string, number] => [id, at])));
    current = current.map((column) => {
      const key = (id: string) => {
        const ends = wires.filter(([from, to]) => (isForward ? to : from) === id).map(([from, to]) => place.get(isForward ? from : to) ?? 0);
        return ends.length === 0 ? (place.get(id) ?? 0) : ends.reduce((sum, at) => sum + at, 0) / ends.length;
      };
      return [...column].sort((a, b) => key(a) - key(b) || (place.get(a) ?? 0) - (place.get(b) ?? 0));
    });
    if (crossings(current, wires) < crossings(best, wires)) best = current;
  }
  return best;
}

/** How many pairs of wires cross, with the nodes of each column in this order. */
export function crossings(columns: readonly (readonly string[])[], wires: readonly (readonly [string, string])[]): number {
  const at = new Map(columns.flatMap((column, place) => column.map((id, row): [string, [number, number]] => [id, [place, row]])));
  let count = 0;
  wires.forEach(([a, b], index) => {
    for (const [c, d] of wires.slice(index + 1)) {
      const [pa, pb, pc, pd] = [at.get(a), at.get(b), at.get(c), at.get(d)];
      if (!pa || !pb || !pc || !pd || pa[0] !== pc[0] || pb[0] !== pd[0]) continue;
      if ((pa[1] - pc[1]) * (pb[1] - pd[1]) < 0) count++;
    }
  });
  return count;
}
