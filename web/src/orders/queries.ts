import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type {
  ActivityView,
  OrderBody,
  OrderCheckView,
  OrderDecisionView,
  OrderEventView,
  OrderView,
  ReplacementBody,
  VenueOrderView,
} from "../api/schema";
import { readAgain } from "../stream/readAgain";
import { useChannel } from "../stream/useChannel";
import { patched, type Tab } from "./patch";
import { hear, readWithTold } from "./told";

export const LISTED_MAX = 1000;

export const ordersKey = (accountId: string) => ["orders", accountId] as const;
export const fillsKey = (accountId: string) => ["fills", accountId] as const;
const eventsKey = (orderId: string) => ["order", orderId] as const;

/** The newest orders of an account: those that work, or all. */
export function useOrders(accountId: string | undefined, tab: Tab): UseQueryResult<readonly OrderView[]> {
  return useQuery({
    queryKey: [...ordersKey(accountId ?? ""), tab],
    enabled: accountId !== undefined,
    queryFn: () => {
      const query = { account_id: accountId ?? "", status: tab === "working" ? "open" : "all", limit: LISTED_MAX };
      return readWithTold(async () => (await answered(api.GET("/api/v1/orders", { params: { query } }))).orders, accountId, tab);
    },
  });
}

/** The newest executions of an account. */
export function useFills(accountId: string | undefined, isShown: boolean): UseQueryResult<readonly ActivityView[]> {
  return useQuery({
    queryKey: fillsKey(accountId ?? ""),
    enabled: accountId !== undefined && isShown,
    queryFn: async () => {
      const params = { path: { account_id: accountId ?? "" }, query: { kinds: "fill", limit: LISTED_MAX } };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/activities", { params }))).activities;
    },
  });
}

/** What happened to an order, oldest first. */
export function useOrderEvents(orderId: string): UseQueryResult<readonly OrderEventView[]> {
  return useQuery({
    queryKey: [...eventsKey(orderId), "events"],
    queryFn: async () =>
      (await answered(api.GET("/api/v1/orders/{order_id}/events", { params: { path: { order_id: orderId } } }))).events,
  });
}

/** How an order is known at its venue; null while the venue has told nothing of it. */
export function useVenueOrder(accountId: string, orderId: string): UseQueryResult<VenueOrderView | null> {
  return useQuery({
    queryKey: [...eventsKey(orderId), "venue"],
    queryFn: async () => {
      const params = { path: { account_id: accountId }, query: { order_id: orderId } };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/venue-orders", { params }))).orders[0] ?? null;
    },
  });
}

/** What risk decided on an order, newest first. */
export function useDecisions(orderId: string): UseQueryResult<readonly OrderDecisionView[]> {
  return useQuery({
    queryKey: [...eventsKey(orderId), "decisions"],
    queryFn: async () =>
      (await answered(api.GET("/api/v1/orders/{order_id}/decisions", { params: { path: { order_id: orderId } } }))).decisions,
  });
}

interface OrderTold {
  account_id: string;
  order_id: string;
  order: OrderView | null;
}

/** Keep what was read of an account's orders as the stream tells it. */
export function useLiveOrders(accountId: string | undefined): void {
  const queries = useQueryClient();
  const key = ordersKey(accountId ?? "");
  useChannel<OrderTold>(accountId === undefined ? null : "orders", {
    reads: [key, ["order"]],
    onData: (told) => {
      if (told.account_id !== accountId) return;
      readAgain(queries, eventsKey(told.order_id));
      const { order } = told;
      if (order === null) {
        readAgain(queries, key);
        return;
      }
      hear(order);
      for (const tab of ["working", "all"] as const) {
        queries.setQueryData<readonly OrderView[]>([...key, tab], (known) => known && patched(known, order, tab));
      }
    },
  });
  useChannel<{ account_id: string }>(accountId === undefined ? null : "fills", {
    reads: [fillsKey(accountId ?? "")],
    onData: (told) => {
      if (told.account_id === accountId) readAgain(queries, fillsKey(accountId));
    },
  });
}

export function checkOrder(body: OrderBody): Promise<OrderCheckView> {
  return answered(api.POST("/api/v1/orders/check", { body }));
}

export function submitOrder(body: OrderBody): Promise<OrderView> {
  return answered(api.POST("/api/v1/orders", { body }));
}

export function replaceOrder(orderId: string, body: ReplacementBody): Promise<OrderView> {
  return answered(api.PATCH("/api/v1/orders/{order_id}", { params: { path: { order_id: orderId } }, body }));
}

export function cancelOrder(orderId: string): Promise<OrderView> {
  return answered(api.DELETE("/api/v1/orders/{order_id}", { params: { path: { order_id: orderId } } }));
}

/** Ask for each of these to be canceled; tells the first that could not be asked for once all were tried. */
export async function cancelEach(orderIds: readonly string[]): Promise<void> {
  const outcomes = await Promise.allSettled(orderIds.map(cancelOrder));
  const failed = outcomes.filter((one) => one.status === "rejected");
  if (failed.length > 0) throw failed[0]?.reason;
}

export async function cancelAll(accountId: string): Promise<void> {
  await answered(api.DELETE("/api/v1/orders", { params: { query: { account_id: accountId } } }));
}
