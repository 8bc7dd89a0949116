/** What the page of connections asks for. */

import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { queries } from "../api/queries";
import type { BreakView, ConnectionView } from "../api/schema";

export const CONNECTIONS = "connections";
const SOON_MS = 5000;
const MINUTE_MS = 60_000;

export async function renew(): Promise<void> {
  await queries.invalidateQueries({ queryKey: [CONNECTIONS] });
}

export const of = (accountId: string) => ({ params: { path: { account_id: accountId } } });

export const useConnections = () =>
  useQuery<ConnectionView[]>({
    queryKey: [CONNECTIONS, "all"],
    queryFn: async () => (await answered(api.GET("/api/v1/connections"))).connections,
    refetchInterval: SOON_MS,
  });

/** A question to the venue that changes nothing, asked again each minute while the page is open. */
export const useCheck = (accountId: string, isOn: boolean) =>
  useQuery({
    queryKey: [CONNECTIONS, "check", accountId],
    queryFn: () => answered(api.POST("/api/v1/accounts/{account_id}/connection/check", of(accountId))),
    enabled: isOn,
    staleTime: MINUTE_MS,
    refetchInterval: MINUTE_MS,
  });

export const useBreaks = (accountId: string, areAll: boolean) =>
  useQuery<BreakView[]>({
    queryKey: [CONNECTIONS, "breaks", accountId, areAll],
    queryFn: async () => {
      const params = { path: { account_id: accountId }, query: { resolved: areAll, limit: 500 } };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/breaks", { params }))).breaks;
    },
    refetchInterval: SOON_MS,
  });

export const useWatched = (accountId: string) =>
  useQuery({
    queryKey: [CONNECTIONS, "prices", accountId],
    queryFn: async () => (await answered(api.GET("/api/v1/accounts/{account_id}/connection/prices", of(accountId)))).prices,
    refetchInterval: SOON_MS,
  });

export const useFeeds = () =>
  useQuery({ queryKey: [CONNECTIONS, "feeds"], queryFn: async () => (await answered(api.GET("/api/v1/feeds"))).feeds, refetchInterval: MINUTE_MS });
