import { describe, expect, it } from "vitest";
import type { OrderDecisionView, OrderEventView } from "../api/schema";
import { stations } from "./timeline";

const ORDER = { created_at: "2026-03-02T09:30:00Z", client_order_id: "c", side: "buy" as const, symbol: "AAPL", qty: "5", notional: null };
const event = (version: number, kind: string, more: object = {}) =>
  ({ version, kind, occurred_at: `2026-03-02T09:30:0${version}Z`, code: "", reason: "", qty: null, price: null, ...more }) as OrderEventView;
const decision = (approved: boolean) =>
  ({
    decision_id: "d",
    approved,
    decided_at: ORDER.created_at,
    limit_version: 3,
    kill_epoch: 7,
    findings: approved ? [] : [{ code: "RISK_QTY_MAX", rule: "qty_max", limit: "4", observed: "5", detail: "too many", field: "" }],
  }) as unknown as OrderDecisionView;

describe("the way of an order", () => {
  it("goes from the intent over risk, sending and acknowledging to each fill", () => {
    const found = stations(ORDER, "RSI", [decision(true)], [
      event(1, "submitted"),
      event(2, "acknowledged"),
      event(3, "executed", { qty: "2", price: "10.5" }),
      event(4, "executed", { qty: "3", price: "10.6" }),
    ]);
    expect(found.map((one) => one.name)).toEqual([
      "Intent of RSI",
      "Approved by risk",
      "Sent to the venue",
      "Acknowledged by the venue",
      "Filled",
      "Filled",
    ]);
    expect(found[4]?.text).toBe("2 at 10.50");
  });

  it("names the rule that refused, once", () => {
    const found = stations(ORDER, "", [decision(false)], [event(1, "denied", { code: "RISK_QTY_MAX" })]);
    expect(found.map((one) => [one.name, one.code])).toEqual([
      ["Ordered by hand or through the API", ""],
      ["Refused by risk", "RISK_QTY_MAX"],
    ]);
    expect(found[1]?.text).toContain("rule qty_max, limit 4, observed 5");
  });
});
