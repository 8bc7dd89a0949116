/** How one graph differs from another, in sentences: for what is not stored yet, the server compares versions. */

import { fingerprint, type Graph, type ParamValue, wireKey } from "./graph";

function shown(value: ParamValue | undefined): string {
  return value === undefined ? "its default" : JSON.stringify(value);
}

export function differences(before: Graph, after: Graph): string[] {
  if (fingerprint(before) === fingerprint(after)) return [];
  const lines: string[] = [];
  if (before.name !== after.name) lines.push(`The name is "${after.name}", it was "${before.name}".`);
  if (before.timeframe !== after.timeframe) lines.push(`The timeframe is ${after.timeframe}, it was ${before.timeframe}.`);
  const old = new Map(before.nodes.map((node) => [node.id, node]));
  const now = new Map(after.nodes.map((node) => [node.id, node]));
  for (const [id, node] of old) if (!now.has(id)) lines.push(`Node ${id} (${node.type}) is gone.`);
  for (const [id, node] of now) {
    const was = old.get(id);
    if (was === undefined) lines.push(`Node ${id} (${node.type}) is new.`);
    else if (was.type !== node.type || was.version !== node.version) {
      lines.push(`Node ${id} is ${node.type} version ${node.version}, it was ${was.type} version ${was.version}.`);
    }
    if (was === undefined) continue;
    for (const name of [...new Set([...Object.keys(was.params), ...Object.keys(node.params)])].sort()) {
      const [a, b] = [was.params[name], node.params[name]];
      if (a !== b) lines.push(`${id}.${name} is ${shown(b)}, it was ${shown(a)}.`);
    }
  }
  const oldWires = new Set(before.edges.map(wireKey));
  const newWires = new Set(after.edges.map(wireKey));
  const arrow = (key: string) => key.replace(">", " \u2192 ");
  for (const key of oldWires) if (!newWires.has(key)) lines.push(`Wire ${arrow(key)} is gone.`);
  for (const key of newWires) if (!oldWires.has(key)) lines.push(`Wire ${arrow(key)} is new.`);
  for (const key of [...new Set([...Object.keys(before.exposed), ...Object.keys(after.exposed)])].sort()) {
    const [a, b] = [JSON.stringify(before.exposed[key]), JSON.stringify(after.exposed[key])];
    if (a !== b) lines.push(b === undefined ? `${key} is no longer searched.` : `${key} is searched over ${b}${a === undefined ? "" : `, it was ${a}`}.`);
  }
  for (const line of before.constraints) if (!after.constraints.includes(line)) lines.push(`Constraint ${line} is gone.`);
  for (const line of after.constraints) if (!before.constraints.includes(line)) lines.push(`Constraint ${line} is new.`);
  return lines.length > 0 ? lines : ["Only the places of nodes differ."];
}
