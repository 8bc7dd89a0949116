import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { useHealth } from "../api/health";
import type { AccountView, ProfileView, SampleView } from "../api/schema";
import { isAside, itemsOf, putAside, readAside } from "./attention";

const SOON_MS = 2000;
const SELDOM_MS = 15_000;

function path(account_id: string) {
  return { path: { account_id } };
}

/** What each account is worth at its newest prices. */
export function useSummaries(accounts: readonly AccountView[]) {
  return useQueries({
    queries: accounts.map(({ account_id }) => ({
      queryKey: ["summary", account_id],
      queryFn: () => answered(api.GET("/api/v1/accounts/{account_id}/summary", { params: path(account_id) })),
      refetchInterval: SOON_MS,
    })),
  });
}

/** What each account was worth at the end of each day. */
export function useHistories(accounts: readonly AccountView[]) {
  return useQueries({
    queries: accounts.map(({ account_id }) => ({
      queryKey: ["history", account_id],
      queryFn: () =>
        answered(
          api.GET("/api/v1/accounts/{account_id}/portfolio/history", {
            params: { ...path(account_id), query: { timeframe: "1D", limit: 1000 } },
          }),
        ),
      refetchInterval: SELDOM_MS,
    })),
  });
}

export function usePositions(accounts: readonly AccountView[]) {
  return useQuery({
    queryKey: ["positions", "all", accounts.map((one) => one.account_id)],
    queryFn: async () => {
      const all = await Promise.all(
        accounts.map(async (account) => {
          const found = await answered(
            api.GET("/api/v1/accounts/{account_id}/positions", { params: path(account.account_id) }),
          );
          return found.positions.filter((one) => !/^-?0*(\.0*)?$/.test(one.qty)).map((one) => ({ ...one, account: account.name }));
        }),
      );
      return all.flat();
    },
    enabled: accounts.length > 0,
    refetchInterval: SOON_MS,
  });
}

export function useDeployments() {
  return useQuery({
    queryKey: ["deployments"],
    queryFn: async () => (await answered(api.GET("/api/v1/deployments"))).deployments,
    refetchInterval: SOON_MS,
  });
}

export function useBacktests() {
  return useQuery({
    queryKey: ["backtests", "recent"],
    queryFn: async () => (await answered(api.GET("/api/v1/backtests", { params: { query: { limit: 20 } } }))).backtests,
    refetchInterval: SOON_MS,
  });
}

export function useWorkflows() {
  return useQuery({
    queryKey: ["workflows", "with archived"],
    queryFn: async () =>
      (await answered(api.GET("/api/v1/workflows", { params: { query: { archived: true } } }))).workflows,
    refetchInterval: SELDOM_MS,
  });
}

const PROFILE = ["profile"] as const;
const ASIDE = "attention";

function useProfile() {
  return useQuery({ queryKey: PROFILE, queryFn: () => answered(api.GET("/api/v1/profile")) });
}

/** What wants to be looked at, and how to put it aside. */
export function useAttention(accounts: readonly AccountView[]) {
  const queries = useQueryClient();
  const profile = useProfile();
  const health = useHealth();
  const deployments = useDeployments();
  const told = useQuery({
    queryKey: ["attention", accounts.map((one) => one.account_id)],
    queryFn: async () => {
      const [alerts, feeds, ...orders] = await Promise.all([
        answered(api.GET("/api/v1/risk/alerts", { params: { query: { open_only: true, limit: 100 } } })),
        answered(api.GET("/api/v1/feeds")),
        ...accounts.map(({ account_id }) =>
          answered(api.GET("/api/v1/orders", { params: { query: { account_id, status: "closed", limit: 100 } } })),
        ),
      ]);
      return { alerts: alerts.alerts, feeds: feeds.feeds, orders: orders.flatMap((one) => one.orders) };
    },
    refetchInterval: SELDOM_MS,
  });
  const put = useMutation({
    mutationFn: async ({ key, until }: { key: string; until: number }) => {
      const now = await answered(api.GET("/api/v1/profile"));
      const aside = putAside(readAside(now.preferences[ASIDE]), key, until, Date.now());
      const preferences = { ...now.preferences, [ASIDE]: JSON.stringify(aside) };
      const changed = await answered(api.PATCH("/api/v1/profile", { body: { version: now.version, preferences, display_name: null, locale: null, time_zone: null } }));
      queries.setQueryData<ProfileView>(PROFILE, changed);
    },
  });
  const now = Date.now();
  const aside = readAside(profile.data?.preferences[ASIDE]);
  const all =
    told.data === undefined ? [] : itemsOf({ ...told.data, deployments: deployments.data ?? [], health: health.data }, now);
  return { told, aside, items: all.filter((one) => !isAside(aside, one.key, now)), put };
}

const SAMPLE = ["sample"] as const;
const STEP_MS = 700;

/** The sample of who is signed in; while it is coming, the next part of it is asked for. */
export function useSample(isWanted = false) {
  return useQuery({
    queryKey: SAMPLE,
    queryFn: async (): Promise<SampleView> => {
      const found = await answered(api.GET("/api/v1/sample"));
      const isOn = found.state === "coming" || (isWanted && found.state === "offered");
      return isOn ? answered(api.POST("/api/v1/sample")) : found;
    },
    refetchInterval: ({ state }) => (isComing(state.data, isWanted) ? STEP_MS : false),
    staleTime: SELDOM_MS,
  });
}

function isComing(found: SampleView | undefined, isWanted: boolean): boolean {
  const isUnfinished = found?.state === "coming" || found?.state === "offered" || found?.state === "absent";
  return found?.state === "coming" || (isWanted && isUnfinished);
}

export function useRemoveSample() {
  const queries = useQueryClient();
  return async () => {
    queries.setQueryData(SAMPLE, await answered(api.DELETE("/api/v1/sample")));
    await queries.invalidateQueries();
  };
}

export function useBringSample() {
  const queries = useQueryClient();
  return async () => {
    queries.setQueryData(SAMPLE, await answered(api.POST("/api/v1/sample")));
  };
}
