/** Of a strategy's graph the parameters, as far as these pages need them; the builder knows the rest. */

interface GraphNode {
  id: string;
  type: string;
  params?: Record<string, unknown>;
}

export interface Parameter {
  /** `node.param`, as the API names it. */
  name: string;
  node: string;
  type: string;
  param: string;
  value: string;
  isNumber: boolean;
}

/** The parameters of a graph, in the order of its nodes; anything that is no graph has none. */
export function parametersOf(graph: unknown): Parameter[] {
  const nodes = (graph as { nodes?: GraphNode[] } | null)?.nodes ?? [];
  return nodes.flatMap(({ id, type, params = {} }) =>
    Object.entries(params).map(([param, value]) => ({
      name: `${id}.${param}`,
      node: id,
      type,
      param,
      value: typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value),
      isNumber: typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value)),
    })),
  );
}

export interface Difference {
  name: string;
  /** What each run had, null where it had no such parameter. */
  values: (string | null)[];
}

/** Those of several lists of named values that are not the same in all of them. */
export function differencesOf(runs: readonly ReadonlyMap<string, string>[]): Difference[] {
  const names = [...new Set(runs.flatMap((run) => [...run.keys()]))];
  return names
    .map((name) => ({ name, values: runs.map((run) => run.get(name) ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}
