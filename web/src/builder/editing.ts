/** Changes of a graph, each from one graph to the next. */

import { type Catalogue, endOf, type Exposure, type Graph, nodeOf, type ParamValue, type Wire, wireKey } from "./graph";
import { inputAt, refusal } from "./ports";
import { COLUMN, ROW_GAP, snapped } from "./sizes";

export const NODE_ID = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** An id that is not taken: `rsi`, `rsi_2`, … */
export function freeId(graph: Graph, wanted: string): string {
  const taken = new Set(graph.nodes.map((node) => node.id));
  const stem = wanted.replace(/_\d+$/, "");
  if (!taken.has(wanted)) return wanted;
  for (let number = 2; ; number++) if (!taken.has(`${stem}_${number}`)) return `${stem}_${number}`;
}

/** `CrossBelow` is called `cross_below`, `RSI` `rsi`. */
export function idOfType(type: string): string {
  return type
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9_]/g, "_")
    .toLowerCase();
}

export function withNode(graph: Graph, catalogue: Catalogue, type: string, at: readonly [number, number]): [Graph, string] {
  const id = freeId(graph, idOfType(type));
  const version = catalogue.newest.get(type)?.version ?? 1;
  const place: [number, number] = [snapped(at[0]), snapped(at[1])];
  const node = { id, type, version, params: {} };
  return [{ ...graph, nodes: [...graph.nodes, node], layout: { ...graph.layout, [id]: place } }, id];
}

/** Without some nodes, their wires, and what was said of their parameters. */
export function withoutNodes(graph: Graph, ids: ReadonlySet<string>): Graph {
  if (ids.size === 0) return graph;
  const stays = (end: string) => !ids.has(endOf(end).node);
  const kept = <V>(record: Readonly<Record<string, V>>, name: (key: string) => string) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => !ids.has(name(key))));
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => !ids.has(node.id)),
    edges: graph.edges.filter((wire) => stays(wire.from) && stays(wire.to)),
    layout: kept(graph.layout, (key) => key),
    exposed: kept(graph.exposed, (key) => endOf(key).node),
    constraints: graph.constraints.filter((line) => ![...ids].some((id) => namesIn(line).includes(id))),
  };
}

export function withoutWires(graph: Graph, keys: ReadonlySet<string>): Graph {
  return keys.size === 0 ? graph : { ...graph, edges: graph.edges.filter((wire) => !keys.has(wireKey(wire))) };
}

/** With a wire; where the input takes one alone, instead of the one it had. The wire must not be refused. */
export function withWire(graph: Graph, catalogue: Catalogue, wire: Wire): Graph {
  const isMany = inputAt(graph, catalogue, wire.to)?.is_many === true;
  const others = graph.edges.filter((each) => (isMany ? wireKey(each) !== wireKey(wire) : each.to !== wire.to));
  return { ...graph, edges: [...others, wire] };
}

/** With exactly these outputs wired to an input; those that may not be are left out. */
export function withInputs(graph: Graph, catalogue: Catalogue, to: string, from: readonly string[]): Graph {
  const before = graph.edges.filter((wire) => wire.to === to && from.includes(wire.from));
  let next: Graph = { ...graph, edges: graph.edges.filter((wire) => wire.to !== to || before.includes(wire)) };
  for (const each of from) {
    const wire = { from: each, to };
    if (!before.some((old) => old.from === each) && refusal(next, catalogue, wire) === null) {
      next = withWire(next, catalogue, wire);
    }
  }
  return next;
}

/** With a parameter, or without it (undefined): then its default counts. */
export function withParam(graph: Graph, id: string, name: string, value: ParamValue | undefined): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      if (node.id !== id) return node;
      const params = Object.fromEntries(Object.entries(node.params).filter(([key]) => key !== name));
      return { ...node, params: value === undefined ? params : { ...params, [name]: value } };
    }),
  };
}

export function withExposure(graph: Graph, key: string, exposure: Exposure | undefined): Graph {
  const others = Object.fromEntries(Object.entries(graph.exposed).filter(([name]) => name !== key));
  return { ...graph, exposed: exposure === undefined ? others : { ...others, [key]: exposure } };
}

/** What keeps a node from being called so; null where nothing does. */
export function renameRefusal(graph: Graph, id: string, to: string): string | null {
  if (to === id) return null;
  if (!NODE_ID.test(to)) return "a letter, then up to 63 letters, digits, _ or -";
  return nodeOf(graph, to) === undefined ? null : `${to} is taken`;
}

/** With another id for a node, everywhere it is named. */
export function renamed(graph: Graph, id: string, to: string): Graph {
  if (renameRefusal(graph, id, to) !== null || nodeOf(graph, id) === undefined) return graph;
  const end = (text: string) => {
    const { node, port } = endOf(text);
    return node === id ? `${to}.${port}` : text;
  };
  const keyed = <V>(record: Readonly<Record<string, V>>, key: (name: string) => string) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [key(name), value]));
  return {
    ...graph,
    nodes: graph.nodes.map((node) => (node.id === id ? { ...node, id: to } : node)),
    edges: graph.edges.map((wire) => ({ from: end(wire.from), to: end(wire.to) })),
    layout: keyed(graph.layout, (name) => (name === id ? to : name)),
    exposed: keyed(graph.exposed, end),
    constraints: graph.constraints.map((line) => line.replace(/[A-Za-z][\w-]*\.[A-Za-z]\w*/g, end)),
  };
}

export function moved(graph: Graph, places: Readonly<Record<string, readonly [number, number]>>): Graph {
  return { ...graph, layout: { ...graph.layout, ...places } };
}

/** With a node in the middle of a wire, where it fits: its first fitting input and output take the place of the wire. */
export function inserted(graph: Graph, catalogue: Catalogue, wire: Wire, id: string): Graph | null {
  const node = nodeOf(graph, id);
  const definition = node && catalogue.of(node);
  const cut = withoutWires(graph, new Set([wireKey(wire)]));
  for (const input of definition?.inputs ?? []) {
    for (const output of definition?.outputs ?? []) {
      const before = { from: wire.from, to: `${id}.${input.name}` };
      const after = { from: `${id}.${output.name}`, to: wire.to };
      if (refusal(cut, catalogue, before) !== null) continue;
      const half = withWire(cut, catalogue, before);
      if (refusal(half, catalogue, after) === null) return withWire(half, catalogue, after);
    }
  }
  return null;
}

/** A place for a new node: right of another one, or right of all, below what stands there. */
export function freePlace(graph: Graph, beside?: string): [number, number] {
  const places = Object.values(graph.layout);
  const anchor = beside === undefined ? undefined : graph.layout[beside];
  const x = anchor === undefined ? Math.max(-COLUMN, ...places.map(([left]) => left)) + COLUMN : anchor[0] + COLUMN;
  let y = anchor === undefined ? Math.min(...places.map(([, top]) => top), Number.POSITIVE_INFINITY) : anchor[1];
  if (!Number.isFinite(y)) y = 0;
  const isTaken = () => places.some(([left, top]) => Math.abs(left - x) < COLUMN - 16 && Math.abs(top - y) < ROW_GAP);
  while (isTaken()) y += 32;
  return [snapped(x), snapped(y)];
}

function namesIn(constraint: string): string[] {
  return (constraint.match(/[A-Za-z][\w-]*\.[A-Za-z]\w*/g) ?? []).map((name) => endOf(name).node);
}
