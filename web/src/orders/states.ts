/** The states of an order in words, and what may be done in each. */

import type { LegView } from "../api/schema";

export type OrderLike = Pick<LegView, "status" | "filled_qty">;

/** Where an order stands on its way: sent and not answered, at the venue, over. */
export type Stage = "pending" | "working" | "filled" | "over" | "unclear";

const STAGES: Record<string, [Stage, string]> = {
  pending_new: ["pending", "Sent, not acknowledged"],
  held: ["pending", "Held for its group"],
  new: ["working", "Acknowledged"],
  accepted: ["working", "Accepted"],
  partially_filled: ["working", "Partly filled"],
  pending_cancel: ["pending", "Cancel asked"],
  pending_replace: ["pending", "Change asked"],
  suspended: ["unclear", "Suspended"],
  done_for_day: ["working", "Done for the day"],
  unknown: ["unclear", "Unknown at the venue"],
  filled: ["filled", "Filled"],
  canceled: ["over", "Canceled"],
  expired: ["over", "Expired"],
  replaced: ["over", "Replaced"],
  denied: ["over", "Denied by risk"],
  rejected: ["over", "Rejected by the venue"],
};

const CLOSED: ReadonlySet<string> = new Set(["filled", "canceled", "expired", "replaced", "denied", "rejected"]);
const REFUSED: ReadonlySet<string> = new Set(["denied", "rejected"]);
const AMENDED: ReadonlySet<string> = new Set(["new", "accepted", "partially_filled"]);

export function stageOf(status: string): Stage {
  return STAGES[status]?.[0] ?? "unclear";
}

export function wordsOf(status: string): string {
  return STAGES[status]?.[1] ?? status;
}

export function isWorking(status: string): boolean {
  return !CLOSED.has(status);
}

export function isRefused(status: string): boolean {
  return REFUSED.has(status);
}

/** Why an order cannot be canceled now; empty where it can. */
export function whyNotCancel(status: string): string {
  if (!isWorking(status)) return `It is ${wordsOf(status).toLowerCase()}.`;
  return status === "pending_cancel" ? "Its cancel is on the way to the venue." : "";
}

/** Why an order cannot be changed now; empty where it can. */
export function whyNotAmend({ status, order_class }: Pick<LegView, "status" | "order_class">): string {
  if (!AMENDED.has(status)) return "Only an order the venue has acknowledged can be changed.";
  return order_class === "simple" || order_class === undefined ? "" : "An order of a group is changed as a group, through the API.";
}
