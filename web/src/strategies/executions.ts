/** What the strategies were run for, all in one list: names of what trades, and the newest test of each. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { answered, api } from "../api/client";
import type { WorkflowExecutionView } from "../api/schema";

const EVERY_MS = 10_000;

/** Everything that runs, and the newest of each kind and strategy; read anew as soon as `since` changes. */
export function useExecutions(since = 0) {
  return useQuery({
    queryKey: ["executions", since],
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
    queryFn: async () => (await answered(api.GET("/api/v1/workflow-executions"))).executions,
  });
}

/** What an execution is called: its strategy's name and version. */
export function namesOf(executions: readonly Pick<WorkflowExecutionView, "execution_id" | "workflow_name" | "version">[]): Map<string, string> {
  return new Map(executions.map((one) => [one.execution_id, `${one.workflow_name} v${one.version}`]));
}

/** Names of the strategies that deployments trade: a deployment's book has the deployment's id. */
export function useStrategyNames(): ReadonlyMap<string, string> {
  const { data } = useExecutions();
  return useMemo(() => namesOf(data ?? []), [data]);
}
