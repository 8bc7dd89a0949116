import { type QueryClient, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { BacktestView, SweepView } from "../api/schema";
import type { Figures } from "./figures";
import { isPending } from "./result";

export const BACKTESTS = ["backtests"] as const;
export const SWEEPS = ["sweeps"] as const;
const RUNS_MAX = 200;
const PENDING_MS = 1000;
const IDLE_MS = 15_000;
const HOUR_MS = 3_600_000;

/** How soon to ask again: often while something runs. */
function pace(runs: readonly { status: string }[] | undefined): number {
  return runs?.some(isPending) ? PENDING_MS : IDLE_MS;
}

export function useBacktests() {
  return useQuery({
    queryKey: [...BACKTESTS, "list"],
    queryFn: async () => (await answered(api.GET("/api/v1/backtests", { params: { query: { limit: RUNS_MAX } } }))).backtests,
    refetchInterval: ({ state }) => pace(state.data),
  });
}

export const oneBacktest = (id: string) => ({
  queryKey: [...BACKTESTS, id],
  queryFn: () => answered(api.GET("/api/v1/backtests/{backtest_id}", { params: { path: { backtest_id: id } } })),
});

export function useBacktest(id: string) {
  return useQuery({
    ...oneBacktest(id),
    staleTime: ({ state }) => (state.data && !isPending(state.data) ? HOUR_MS : 0),
    refetchInterval: ({ state }) => (state.data && isPending(state.data) ? PENDING_MS : false),
  });
}

export const oneCourse = (id: string, symbol = "", start: string | null = null) => ({
  queryKey: [...BACKTESTS, id, "course", symbol, start],
  staleTime: HOUR_MS,
  queryFn: () =>
    answered(
      api.GET("/api/v1/backtests/{backtest_id}/course", {
        params: { path: { backtest_id: id }, query: { symbol, ...(start === null ? {} : { start }) } },
      }),
    ),
});

export const oneTerms = (id: string) => ({
  queryKey: [...BACKTESTS, id, "terms"],
  staleTime: HOUR_MS,
  queryFn: () => answered(api.GET("/api/v1/backtests/{backtest_id}/terms", { params: { path: { backtest_id: id } } })),
});

export const oneVerdict = (id: string) => ({
  queryKey: [...BACKTESTS, id, "verdict"],
  queryFn: () => answered(api.GET("/api/v1/backtests/{backtest_id}/verdict", { params: { path: { backtest_id: id } } })),
});

/** What each figure is, by name. */
export function useFigures() {
  return useQuery({
    queryKey: ["figures"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<Figures> =>
      new Map((await answered(api.GET("/api/v1/figures"))).figures.map((figure) => [figure.name, figure])),
  });
}

/** One's strategies and those others share, archived ones too. */
export function useStrategies() {
  return useQuery({
    queryKey: ["workflows", "all"],
    queryFn: async () => {
      const [own, shared] = await Promise.all(
        [false, true].map((is_shared) => answered(api.GET("/api/v1/workflows", { params: { query: { shared: is_shared, archived: true } } }))),
      );
      return [...(own?.workflows ?? []), ...(shared?.workflows ?? [])];
    },
  });
}

/** What strategies are called, by their id. */
export function useStrategyNames(): ReadonlyMap<string, string> {
  const { data = [] } = useStrategies();
  return new Map(data.map((one) => [one.workflow_id, one.name]));
}

export function useDatasets() {
  return useQuery({ queryKey: ["datasets"], queryFn: async () => (await answered(api.GET("/api/v1/datasets"))).datasets });
}

export function useSweeps() {
  return useQuery({
    queryKey: [...SWEEPS, "list"],
    queryFn: async () => (await answered(api.GET("/api/v1/sweeps", { params: { query: { limit: RUNS_MAX } } }))).sweeps,
    refetchInterval: ({ state }) => pace(state.data),
  });
}

export function useSweep(id: string) {
  return useQuery({
    queryKey: [...SWEEPS, id],
    queryFn: () => answered(api.GET("/api/v1/sweeps/{sweep_id}", { params: { path: { sweep_id: id } } })),
    refetchInterval: ({ state }) => (state.data && isPending(state.data) ? PENDING_MS : false),
  });
}

export function useTrials(sweep: SweepView) {
  return useQuery({
    queryKey: [...SWEEPS, sweep.sweep_id, "trials", sweep.status],
    queryFn: async () =>
      (await answered(api.GET("/api/v1/sweeps/{sweep_id}/trials", { params: { path: { sweep_id: sweep.sweep_id }, query: { limit: RUNS_MAX } } })))
        .trials,
  });
}

/** Put a run that was just started where the pages look for it. */
export function entered(queries: QueryClient, started: BacktestView): BacktestView {
  queries.setQueryData([...BACKTESTS, started.backtest_id], started);
  void queries.invalidateQueries({ queryKey: [...BACKTESTS, "list"] });
  return started;
}
