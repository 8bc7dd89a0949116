/** Strategy graphs and the description of nodes, as the API gives and takes them. */

export type ParamValue = boolean | number | string;

export interface GraphNode {
  id: string;
  type: string;
  version: number;
  params: Record<string, ParamValue>;
}

/** A wire: `from` and `to` are `node.port`. */
export interface Wire {
  from: string;
  to: string;
}

export interface Exposure {
  min: ParamValue;
  max: ParamValue;
  step: ParamValue;
}

export interface Graph {
  schema: number;
  name: string;
  timeframe: string;
  nodes: readonly GraphNode[];
  edges: readonly Wire[];
  layout: Readonly<Record<string, readonly [number, number]>>;
  exposed: Readonly<Record<string, Exposure>>;
  constraints: readonly string[];
}

export interface InputPort {
  name: string;
  kind: string;
  /** Kinds of value it takes. */
  accepts: readonly string[];
  is_required: boolean;
  is_many: boolean;
}

export interface OutputPort {
  name: string;
  kind: string;
}

export interface Param {
  name: string;
  kind: "int" | "number" | "decimal" | "choice" | "flag" | "text" | "symbol";
  summary: string;
  default: ParamValue | null;
  is_required: boolean;
  /** The allowed values as a phrase. */
  allowed: string;
  choices: readonly string[];
  minimum: string | null;
  maximum: string | null;
  is_minimum_open: boolean;
}

export interface NodeType {
  type: string;
  version: number;
  group: string;
  summary: string;
  inputs: readonly InputPort[];
  outputs: readonly OutputPort[];
  params: readonly Param[];
  is_source: boolean;
  is_sink: boolean;
  lookback_bars_by_default?: number;
  warm_up_bars_by_default?: number;
}

export interface CatalogueDocument {
  schema: number;
  timeframes: readonly string[];
  nodes: readonly NodeType[];
}

/** What nodes there are; the newest version of each is offered, older ones are known. */
export class Catalogue {
  readonly timeframes: readonly string[];
  readonly newest: ReadonlyMap<string, NodeType>;
  private readonly all = new Map<string, NodeType>();

  constructor(document: CatalogueDocument) {
    this.timeframes = document.timeframes;
    const newest = new Map<string, NodeType>();
    for (const entry of document.nodes) {
      this.all.set(`${entry.type}@${entry.version}`, entry);
      if ((newest.get(entry.type)?.version ?? 0) < entry.version) newest.set(entry.type, entry);
    }
    this.newest = newest;
  }

  of(node: GraphNode): NodeType | undefined {
    return this.all.get(`${node.type}@${node.version}`);
  }

  /** Groups in the order of the catalogue, each with its nodes. */
  groups(): [string, NodeType[]][] {
    const found = new Map<string, NodeType[]>();
    for (const entry of this.newest.values()) found.set(entry.group, [...(found.get(entry.group) ?? []), entry]);
    return [...found];
  }
}

export function endOf(text: string): { node: string; port: string } {
  const dot = text.indexOf(".");
  return dot < 0 ? { node: text, port: "" } : { node: text.slice(0, dot), port: text.slice(dot + 1) };
}

export function nodeOf(graph: Graph, id: string): GraphNode | undefined {
  return graph.nodes.find((node) => node.id === id);
}

export function wireKey(wire: Wire): string {
  return `${wire.from}>${wire.to}`;
}

/** What the API gave as a graph, with what it may leave out filled in. */
export function readGraph(found: unknown): Graph {
  const given = found as Partial<Graph>;
  return {
    schema: given.schema ?? 1,
    name: given.name ?? "",
    timeframe: given.timeframe ?? "",
    nodes: (given.nodes ?? []).map((node) => ({ ...node, version: node.version ?? 1, params: node.params ?? {} })),
    edges: given.edges ?? [],
    layout: given.layout ?? {},
    exposed: given.exposed ?? {},
    constraints: given.constraints ?? [],
  };
}

/** The same strategy in the same places, however it was come by: what tells whether something is unsaved. */
export function fingerprint(graph: Graph): string {
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = <V>(record: Readonly<Record<string, V>>) => Object.entries(record).sort(([a], [b]) => byText(a, b));
  return JSON.stringify([
    graph.schema,
    graph.name,
    graph.timeframe,
    [...graph.nodes].sort((a, b) => byText(a.id, b.id)).map((n) => [n.id, n.type, n.version, sorted(n.params)]),
    graph.edges.map(wireKey).sort(byText),
    sorted(graph.layout),
    sorted(graph.exposed),
    [...graph.constraints].sort(byText),
  ]);
}

/** The least a strategy can be: bars, and a plot of their close. */
export function starter(name: string, timeframe = "1d"): Graph {
  return {
    schema: 1,
    name,
    timeframe,
    nodes: [
      { id: "bars", type: "Bars", version: 1, params: {} },
      { id: "plot_close", type: "Plot", version: 1, params: { pane: "price" } },
    ],
    edges: [{ from: "bars.close", to: "plot_close.value" }],
    layout: { bars: [0, 0], plot_close: [320, 0] },
    exposed: {},
    constraints: [],
  };
}
