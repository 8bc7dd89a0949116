/** Stopping all trading, and what it comes to. */

import { answered, api } from "../api/client";
import type { AccountView, KillStateView, OrderView } from "../api/schema";

export interface Reach {
  scope: "firm" | "user";
  /** What is blocked, in words. */
  text: string;
}

/** Who stops what: owners and operators everybody, others themselves. */
export function reachOf(role: string): Reach {
  return role === "owner" || role === "operator"
    ? { scope: "firm", text: "No order of anybody is let through from now on" }
    : { scope: "user", text: "No order of yours is let through from now on, in any of your accounts" };
}

/** The orders at work in all of one's accounts. */
export async function workingOrders(accounts: readonly AccountView[]): Promise<OrderView[]> {
  const found = await Promise.all(
    accounts.map(({ account_id }) =>
      answered(api.GET("/api/v1/orders", { params: { query: { account_id, status: "open", limit: 1000 } } })),
    ),
  );
  return found.flatMap((one) => one.orders);
}

export async function stopAll(role: string, userId: string, reason: string): Promise<KillStateView> {
  const { scope } = reachOf(role);
  const body = { scope, reason, state: "halted", ...(scope === "user" ? { owner_id: userId } : {}) };
  return answered(api.POST("/api/v1/risk/kill", { body: body as never }));
}

/** "1 order", "3 orders". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
