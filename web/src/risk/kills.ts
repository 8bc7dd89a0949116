/** The kill machine as people see it. */

import type { KillStateView } from "../api/schema";

export const STATES = ["normal", "reduce_only", "cancel_only", "halted"] as const;
export const STATE_LABEL: Record<string, string> = { normal: "Normal", reduce_only: "Reduce only", cancel_only: "Cancel only", halted: "Halted" };
export const EFFECT: Record<string, string> = {
  normal: "Orders pass as limits allow.",
  reduce_only: "Orders that open or enlarge a position are refused; those that reduce one pass.",
  cancel_only: "Every new order is refused, working orders are taken off; cancellations pass.",
  halted: "Every new order is refused and working orders are taken off, until somebody named releases it.",
};
export const SCOPES = ["account", "firm", "strategy", "symbol", "venue", "user"] as const;
export type Scope = (typeof SCOPES)[number];
export const SCOPE_LABEL: Record<Scope, string> = {
  account: "This account",
  firm: "Everything (the firm)",
  strategy: "One strategy",
  symbol: "One symbol",
  venue: "One venue",
  user: "One person's accounts",
};

/** What a kill state is for, in words. */
export function scopeOf(kill: KillStateView, nameOfAccount: (id: string) => string): string {
  if (kill.scope === "firm") return "Everything";
  if (kill.book_id !== null) return `Strategy ${kill.book_id.slice(-6)}`;
  if (kill.scope === "account") return `Account ${nameOfAccount(kill.account_id ?? "")}`;
  if (kill.owner_id !== null) return `Person ${kill.owner_id.slice(-6)}`;
  return kill.symbol !== null ? `Symbol ${kill.symbol}` : `Venue ${kill.venue ?? ""}`;
}

/** The body that names a scope and nothing else. */
export function bodyOf(scope: string, key: string): Record<"scope" | "account_id" | "owner_id" | "book_id" | "venue" | "symbol", string | null> & { scope: string } {
  const named = (wanted: string) => (scope === wanted ? key : null);
  return { scope, account_id: named("account"), owner_id: named("user"), book_id: named("strategy"), venue: named("venue"), symbol: named("symbol") };
}

/** The key of a kill state's scope. */
export function keyOf(kill: KillStateView): string {
  const keys: Record<string, string | null> = { account: kill.account_id, user: kill.owner_id, strategy: kill.book_id, venue: kill.venue, symbol: kill.symbol };
  return keys[kill.scope] ?? "";
}
