/** Strategies as files. */

import { type Graph, readGraph } from "./graph";

const FORMAT = "alphintra.workflow";

/** The graph of an exported file with its layout, or what is wrong with the file. Its nodes are checked by the server. */
export function importedGraph(text: string): Graph | string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return "this is no JSON";
  }
  if (typeof found !== "object" || found === null) return "this is no exported strategy";
  const { format, format_version: version, graph, layout } = found as Record<string, unknown>;
  if (format !== FORMAT) return `this is no exported strategy: its format is not ${FORMAT}`;
  if (version !== 1) return `format version ${String(version)} is not known here`;
  if (typeof graph !== "object" || graph === null || !Array.isArray((graph as Graph).nodes)) return "there is no graph in it";
  return readGraph({ ...graph, layout: layout ?? (graph as Graph).layout });
}

/** Hand a text over as a file. */
export function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(/[^\w. -]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
