/** What the builder asks the server for. Nothing here is read anew by itself: the canvas is the truth while it is open. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import type { DraftView, GraphPreviewView, WorkflowVersionView, WorkflowView } from "../api/schema";
import { Catalogue, type CatalogueDocument, type Graph, readGraph } from "./graph";
import type { Shelf } from "./keeping";
import type { Base, Examined } from "./store";

const ONCE = { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false } as const;

/** The types of the API know documents as objects without members. */
export function asDocument(value: object): Record<string, never> {
  return value as Record<string, never>;
}

export function useCatalogue() {
  return useQuery({
    queryKey: ["nodes"],
    ...ONCE,
    queryFn: async () => new Catalogue((await answered(api.GET("/api/v1/nodes"))).document as unknown as CatalogueDocument),
  });
}

export interface Opened {
  workflow: WorkflowView;
  version: WorkflowVersionView;
  draft: DraftView | null;
}

export function mayEdit(workflow: WorkflowView): boolean {
  const allowed = workflow.permissions ?? [];
  return workflow.archived_at == null && (allowed.includes("owner") || allowed.includes("edit"));
}

export function mayRun(workflow: WorkflowView): boolean {
  const allowed = workflow.permissions ?? [];
  return workflow.archived_at == null && (allowed.includes("owner") || allowed.includes("execute"));
}

export async function readWorkflow(id: string): Promise<WorkflowView> {
  return answered(api.GET("/api/v1/workflows/{workflow_id}", { params: { path: { workflow_id: id } } }));
}

export async function readVersion(versionId: string): Promise<WorkflowVersionView> {
  return answered(api.GET("/api/v1/workflow-versions/{version_id}", { params: { path: { version_id: versionId } } }));
}

export async function readDraft(id: string): Promise<DraftView> {
  return answered(api.GET("/api/v1/workflows/{workflow_id}/draft", { params: { path: { workflow_id: id } } }));
}

/** A strategy as it is opened: the newest version, and one's own draft over it. */
export function useOpened(id: string) {
  return useQuery({
    queryKey: ["opened", id],
    ...ONCE,
    gcTime: 0,
    queryFn: async (): Promise<Opened> => {
      const workflow = await readWorkflow(id);
      const [version, draft] = await Promise.all([
        readVersion(workflow.version_id),
        mayEdit(workflow) ? readDraft(id) : Promise.resolve(null),
      ]);
      return { workflow, version, draft: draft !== null && draft.revision > 0 ? draft : null };
    },
  });
}

export function baseOf(version: WorkflowVersionView): Base {
  return { version: version.version, versionId: version.version_id, graph: readGraph(version.graph) };
}

/** The newest version as a base. */
export async function readNewest(id: string): Promise<Base> {
  return baseOf(await readVersion((await readWorkflow(id)).version_id));
}

export function shelfOf(id: string): Shelf {
  const params = { path: { workflow_id: id } };
  return {
    keepDraft: (graph, { baseVersion, revision }) =>
      answered(
        api.PUT("/api/v1/workflows/{workflow_id}/draft", {
          params,
          body: { graph: asDocument(graph), base_version: baseVersion, revision },
        }),
      ),
    discardDraft: () => answered(api.DELETE("/api/v1/workflows/{workflow_id}/draft", { params })),
    saveVersion: async (graph, { baseVersion, note }) => {
      const body = { graph: asDocument(graph), base_version: baseVersion, note };
      const made = await answered(api.POST("/api/v1/workflows/{workflow_id}/versions", { params, body }));
      return { version: made.version, versionId: made.version_id };
    },
  };
}

export function codeOf(error: unknown): string {
  return error instanceof ApiProblem ? error.code : "";
}

const UNREADABLE = new Set([400, 413, 422]);

/** Every problem of a graph; one that cannot even be read has that one. What keeps it from being looked at is thrown. */
export async function examine(graph: Graph, signal: AbortSignal): Promise<Examined> {
  try {
    const found = await answered(api.POST("/api/v1/workflows/validate", { body: { graph: asDocument(graph) }, signal }));
    return { problems: found.problems, warnings: found.warnings ?? [], hash: found.graph_hash ?? "", warmUp: found.warmup_bars ?? 0 };
  } catch (error) {
    if (!(error instanceof ApiProblem) || !UNREADABLE.has(error.status)) throw error;
    const problem = { code: error.code, node: "", port: error.pointer, message: error.message, fix: "" };
    return { problems: [problem], warnings: [], hash: "", warmUp: 0 };
  }
}

/** What its nodes give over the newest bars of a symbol. */
export function usePreviewed(graph: Graph, symbol: string, bars: number) {
  const shown = { ...graph, name: "preview", layout: {}, exposed: {}, constraints: [] };
  return useQuery<GraphPreviewView>({
    queryKey: ["preview", symbol, bars, JSON.stringify(shown)],
    enabled: symbol !== "",
    ...ONCE,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answered(api.POST("/api/v1/graph-previews", { body: { graph: asDocument(shown), symbol, bars, nodes: [] }, signal })),
  });
}

export function useDatasets() {
  return useQuery({ queryKey: ["datasets"], queryFn: async () => (await answered(api.GET("/api/v1/datasets"))).datasets, staleTime: 60_000 });
}
