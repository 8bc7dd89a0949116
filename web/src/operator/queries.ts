/** What the inspector is asked. While it has not probed yet, it is asked again soon. */

import { useMutation, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type {
  AccessView,
  AuditsView,
  BackupsView,
  DatabasesView,
  LayoutsView,
  MovesView,
  ProcessesView,
  QueuesView,
  RetentionView,
  WindowsView,
} from "../api/schema";

const EVERY_MS = 10_000;
const SOON_MS = 2_000;
const SELDOM_MS = 60_000;
const ACCESS = ["operator", "access"];

export function useAccess(): UseQueryResult<AccessView> {
  return useQuery({
    queryKey: ACCESS,
    queryFn: () => answered(api.GET("/api/v1/operator/access")),
    refetchInterval: ({ state }) => (state.data?.at == null ? SOON_MS : EVERY_MS),
  });
}

/** Probes now; what it finds is shown at once. */
export function useProbe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => answered(api.POST("/api/v1/operator/access/probe")),
    onSuccess: (found) => client.setQueryData(ACCESS, found),
  });
}

export function useProcesses(): UseQueryResult<ProcessesView> {
  return useQuery({
    queryKey: ["operator", "processes"],
    queryFn: () => answered(api.GET("/api/v1/operator/processes")),
    refetchInterval: EVERY_MS,
  });
}

export function useDatabases(): UseQueryResult<DatabasesView> {
  return useQuery({
    queryKey: ["operator", "databases"],
    queryFn: () => answered(api.GET("/api/v1/operator/databases")),
    refetchInterval: EVERY_MS,
  });
}

export function useLayouts(): UseQueryResult<LayoutsView> {
  return useQuery({ queryKey: ["operator", "layouts"], queryFn: () => answered(api.GET("/api/v1/operator/layouts")) });
}

export function useQueues(): UseQueryResult<QueuesView> {
  return useQuery({
    queryKey: ["operator", "queues"],
    queryFn: () => answered(api.GET("/api/v1/operator/queues")),
    refetchInterval: EVERY_MS,
  });
}

export function useAudits(): UseQueryResult<AuditsView> {
  return useQuery({
    queryKey: ["operator", "audits"],
    queryFn: () => answered(api.GET("/api/v1/operator/audits")),
    refetchInterval: EVERY_MS,
  });
}

export function useMoves(): UseQueryResult<MovesView> {
  return useQuery({
    queryKey: ["operator", "moves"],
    queryFn: () => answered(api.GET("/api/v1/operator/moves")),
    refetchInterval: ({ state }) => (state.data?.moves.length ? SOON_MS : EVERY_MS),
  });
}

export function useBackups(): UseQueryResult<BackupsView> {
  return useQuery({
    queryKey: ["operator", "backups"],
    queryFn: () => answered(api.GET("/api/v1/operator/backups")),
    refetchInterval: SELDOM_MS,
  });
}

export function useRetention(): UseQueryResult<RetentionView> {
  return useQuery({
    queryKey: ["operator", "retention"],
    queryFn: () => answered(api.GET("/api/v1/operator/retention")),
    refetchInterval: SELDOM_MS,
  });
}

export function useWindows(): UseQueryResult<WindowsView> {
  return useQuery({
    queryKey: ["operator", "windows"],
    queryFn: () => answered(api.GET("/api/v1/operator/windows")),
    refetchInterval: EVERY_MS,
  });
}
