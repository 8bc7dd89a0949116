import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

export const DATASETS = ["datasets"] as const;
export const DOWNLOADS = ["downloads"] as const;
const PENDING_MS = 1000;
const IDLE_MS = 15_000;
const PENDING = new Set(["queued", "running"]);

export function isPending({ status }: { status: string }): boolean {
  return PENDING.has(status);
}

export function useCatalogue() {
  return useQuery({ queryKey: [...DATASETS], queryFn: async () => (await answered(api.GET("/api/v1/datasets"))).datasets });
}

export const barsOf = (symbol: string, start: string | null = null) => ({
  queryKey: [...DATASETS, symbol, "course", start],
  queryFn: () => answered(api.GET("/api/v1/datasets/{symbol}/course", { params: { path: { symbol }, query: start === null ? {} : { start } } })),
});

export function useCheck(symbol: string, hasHash: boolean) {
  return useQuery({
    queryKey: [...DATASETS, symbol, "check", hasHash],
    enabled: symbol !== "",
    staleTime: PENDING_MS * 60,
    queryFn: () => answered(api.GET("/api/v1/datasets/{symbol}/check", { params: { path: { symbol }, query: { has_hash: hasHash } } })),
  });
}

export function useDownloads() {
  return useQuery({
    queryKey: [...DOWNLOADS],
    queryFn: async () => (await answered(api.GET("/api/v1/downloads"))).downloads,
    refetchInterval: ({ state }) => (state.data?.some(isPending) ? PENDING_MS : IDLE_MS),
  });
}

export function useImport(id: string) {
  return useQuery({
    queryKey: ["imports", id],
    enabled: id !== "",
    queryFn: () => answered(api.GET("/api/v1/imports/{import_id}", { params: { path: { import_id: id } } })),
    refetchInterval: ({ state }) => (state.data && !isPending(state.data) ? false : PENDING_MS),
  });
}

/** Whether bars of a source can be fetched from it again, on from where they end. */
export function isFetched(source: string): boolean {
  return source === "alpaca" || source.startsWith("ccxt:");
}
