/** What the strategies page asks for. */

import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { queries } from "../api/queries";
import type { WorkflowView } from "../api/schema";
import { arranged } from "../builder/arrange";
import { asDocument } from "../builder/asking";
import { Catalogue, type CatalogueDocument, type Graph, readGraph } from "../builder/graph";
import { namesOf, useExecutions } from "./executions";
import { type Standing, standingOf } from "./standing";

const EVERY_MS = 5000;

export function useWorkflows(withArchived: boolean) {
  return useQuery({
    queryKey: ["workflows", withArchived],
    queryFn: async () => {
      const [own, shared] = await Promise.all([
        answered(api.GET("/api/v1/workflows", { params: { query: { archived: withArchived } } })),
        answered(api.GET("/api/v1/workflows", { params: { query: { shared: true } } })),
      ]);
      return [...own.workflows, ...shared.workflows];
    },
  });
}

export function useDeployments() {
  return useQuery({
    queryKey: ["deployments"],
    refetchInterval: EVERY_MS,
    queryFn: async () => (await answered(api.GET("/api/v1/deployments"))).deployments,
  });
}

/** Every strategy with how it stands; what runs is looked at every few seconds. */
export function useStandings(workflows: readonly WorkflowView[]): { standings: Standing[]; names: Map<string, string> } {
  const deployments = useDeployments().data ?? [];
  const executions = useExecutions(deployments.length).data ?? [];
  const ownOf = (id: string) => executions.filter((one) => one.workflow_id === id);
  const standings = workflows.map((workflow) => standingOf(workflow, ownOf(workflow.workflow_id), deployments));
  return { standings, names: namesOf(executions) };
}

export function useTemplates() {
  return useQuery({ queryKey: ["templates"], staleTime: 600_000, queryFn: async () => (await answered(api.GET("/api/v1/templates"))).templates });
}

export function useTemplateBacktests() {
  return useQuery({
    queryKey: ["template-backtests"],
    refetchInterval: (query) => (query.state.data?.some((one) => one.status === "queued" || one.status === "running") === true ? 3000 : false),
    queryFn: async () => (await answered(api.GET("/api/v1/templates/backtests"))).backtests,
  });
}

export async function changed(): Promise<void> {
  await Promise.all(["workflows", "deployments", "executions"].map((key) => queries.invalidateQueries({ queryKey: [key] })));
}

/** A name nobody of one's own strategies has: `Name`, `Name 2`, … */
export function freeName(wanted: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  if (!names.has(wanted)) return wanted;
  for (let number = 2; ; number++) if (!names.has(`${wanted} ${number}`)) return `${wanted} ${number}`;
}

export async function create(name: string, graph: Graph, note = ""): Promise<WorkflowView> {
  return answered(api.POST("/api/v1/workflows", { body: { name, graph: asDocument(graph), note, template: null, timeframe: null } }));
}

/** Store a template as a strategy of one's own, laid out for the canvas. Its name in the graph stays, and so its hash. */
export async function createFromTemplate(name: string, template: { graph: unknown; title: string }): Promise<WorkflowView> {
  const found = await answered(api.GET("/api/v1/nodes"));
  const catalogue = new Catalogue(found.document as unknown as CatalogueDocument);
  return create(name, arranged(readGraph(template.graph), catalogue), `From the template ${template.title}`);
}
