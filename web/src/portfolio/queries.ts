import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import { answered, api } from "../api/client";
import type { ActivityView, BreakView, ConnectionView, OrdersView, PositionView, SummaryView } from "../api/schema";
import { ACCOUNTS } from "../session/account";
import { listen } from "../stream/connection";
import { readAgain } from "../stream/readAgain";
import { useChannel } from "../stream/useChannel";

const PRICED_MS = 1_000;
export const LISTED_MAX = 1000;

const worthKey = (accountId: string) => ["worth", accountId] as const;
const cashKey = (accountId: string) => ["cash", accountId] as const;
const venueKey = (accountId: string) => ["venue", accountId] as const;

export function usePositions(accountId: string | undefined): UseQueryResult<readonly PositionView[]> {
  return useQuery({
    queryKey: [...worthKey(accountId ?? ""), "positions"],
    enabled: accountId !== undefined,
    queryFn: async () => {
      const params = { path: { account_id: accountId ?? "" } };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/positions", { params }))).positions;
    },
  });
}

export function useSummary(accountId: string | undefined): UseQueryResult<SummaryView> {
  return useQuery({
    queryKey: [...worthKey(accountId ?? ""), "summary"],
    enabled: accountId !== undefined,
    queryFn: () => answered(api.GET("/api/v1/accounts/{account_id}/summary", { params: { path: { account_id: accountId ?? "" } } })),
  });
}

/** The newest movements of money and shares. */
export function useCash(accountId: string | undefined): UseQueryResult<readonly ActivityView[]> {
  return useQuery({
    queryKey: cashKey(accountId ?? ""),
    enabled: accountId !== undefined,
    queryFn: async () => {
      const params = { path: { account_id: accountId ?? "" }, query: { limit: LISTED_MAX } };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/activities", { params }))).activities;
    },
  });
}

export function useConnection(accountId: string | undefined): UseQueryResult<ConnectionView> {
  return useQuery({
    queryKey: [...venueKey(accountId ?? ""), "connection"],
    enabled: accountId !== undefined,
    queryFn: () =>
      answered(api.GET("/api/v1/accounts/{account_id}/connection", { params: { path: { account_id: accountId ?? "" } } })),
  });
}

/** Differences between the venue and us that are open; of live accounts alone, a paper venue is ours. */
export function useBreaks(accountId: string | undefined, isLive: boolean): UseQueryResult<readonly BreakView[]> {
  return useQuery({
    queryKey: [...venueKey(accountId ?? ""), "breaks"],
    enabled: accountId !== undefined && isLive,
    queryFn: async () => {
      const params = { path: { account_id: accountId ?? "" } };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/breaks", { params }))).breaks;
    },
  });
}

/** Keep what was read of an account as the stream tells it: holdings at each booking, worth at each price. */
export function useLivePortfolio(accountId: string | undefined, symbols: readonly string[]): void {
  const queries = useQueryClient();
  const id = accountId ?? "";
  const reads = [worthKey(id), cashKey(id), ACCOUNTS];
  useChannel<{ account_id: string }>(accountId === undefined ? null : "positions", {
    reads,
    onData: (told) => {
      if (told.account_id === accountId) for (const queryKey of reads) readAgain(queries, queryKey);
    },
  });
  useChannel(accountId === undefined ? null : "health", { refreshes: [venueKey(id)] });
  const named = symbols.join("\n");
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const read = () => {
      waiting = undefined;
      readAgain(queries, worthKey(id));
    };
    // All figures come from the platform: prices only say that they are to be read again.
    const onFrame = () => {
      waiting ??= setTimeout(read, PRICED_MS);
    };
    const leave = named === "" ? [] : named.split("\n").map((symbol) => listen(`quotes:${symbol}`, { onFrame }));
    return () => {
      clearTimeout(waiting);
      for (const each of leave) each();
    };
  }, [named, id, queries]);
}

/** Place market orders that bring a position towards zero; null closes all of it. */
export function closePosition(accountId: string, symbol: string, qty: string | null, clientOrderId: string): Promise<OrdersView> {
  const query = { symbol, client_order_id: clientOrderId, ...(qty === null ? {} : { qty }) };
  return answered(api.DELETE("/api/v1/accounts/{account_id}/positions", { params: { path: { account_id: accountId }, query } }));
}

export function reconcile(accountId: string): Promise<ConnectionView> {
  return answered(api.POST("/api/v1/accounts/{account_id}/connection/reconcile", { params: { path: { account_id: accountId } } }));
}
