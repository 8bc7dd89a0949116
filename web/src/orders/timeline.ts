/** The way of an order in sentences, out of what trading and risk wrote down: pure. */

import type { OrderDecisionView, OrderEventView, OrderView } from "../api/schema";
import { price, quantity } from "../format/numbers";

export interface Station {
  key: string;
  at: string;
  name: string;
  text: string;
  code: string;
  isRefused: boolean;
}

const NAMES: Record<string, string> = {
  submitted: "Sent to the venue",
  denied: "Denied by risk",
  held: "Held for its group",
  activated: "Sent to the venue",
  acknowledged: "Acknowledged by the venue",
  accepted: "Accepted by the venue",
  triggered: "Triggered",
  trailed: "Stop moved",
  executed: "Filled",
  cancel_requested: "Cancel asked",
  cancel_refused: "Cancel refused",
  canceled: "Canceled",
  expired: "Expired",
  replace_requested: "Change asked",
  replaced: "Replaced",
  replace_refused: "Change refused",
  carried: "Fills carried over",
  suspended: "Suspended",
  done_for_day: "Done for the day",
  uncertain: "Unknown at the venue",
  refused: "Rejected by the venue",
};
const REFUSALS: ReadonlySet<string> = new Set(["denied", "refused", "cancel_refused", "replace_refused"]);

/** Intent, risk, sent, acknowledged, fills and what ended it, in the order of the day. */
export function stations(
  order: Pick<OrderView, "created_at" | "client_order_id" | "side" | "symbol" | "qty" | "notional">,
  strategy: string,
  decisions: readonly OrderDecisionView[],
  events: readonly OrderEventView[],
): Station[] {
  const amount = order.qty == null ? `${quantity(order.notional)} in money` : quantity(order.qty);
  const intent: Station = {
    key: "intent",
    at: order.created_at,
    name: strategy === "" ? "Ordered by hand or through the API" : `Intent of ${strategy}`,
    text: `${order.side} ${amount} ${order.symbol}, client order id ${order.client_order_id}`,
    code: "",
    isRefused: false,
  };
  const risk = [...decisions].reverse().map((one) => ({
    key: one.decision_id,
    at: one.decided_at,
    name: one.approved ? "Approved by risk" : "Refused by risk",
    text: one.approved
      ? `limits version ${one.limit_version}, kill epoch ${one.kill_epoch}`
      : one.findings.map((each) => `${each.detail} (rule ${each.rule}, limit ${each.limit}, observed ${each.observed})`).join("; "),
    code: one.findings.map((each) => each.code).join(", "),
    isRefused: !one.approved,
  }));
  const told = events
    .filter((one) => one.kind !== "denied" || decisions.length === 0) // risk says it better
    .map((one) => ({
      key: `event-${one.version}`,
      at: one.occurred_at,
      name: NAMES[one.kind] ?? one.kind.replaceAll("_", " "),
      text: one.qty != null && one.price != null ? `${quantity(one.qty)} at ${price(one.price)}` : one.reason,
      code: one.code,
      isRefused: REFUSALS.has(one.kind),
    }));
  return [intent, ...risk, ...told];
}
