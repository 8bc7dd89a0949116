import { describe, expect, it } from "vitest";
import type { LimitsView } from "../api/schema";
import { bodyOf, changesOf, fieldsOf, fullness, inWords, shown, toneOf } from "./limits";

const LIMITS = {
  account_id: "a",
  version: 3,
  order_qty_max: "100.000000000",
  order_notional_max: "1000",
  position_qty_max: "500",
  may_short: false,
  set_by: "operator",
  set_at: "2026-01-01T00:00:00Z",
  reason: "",
  controls: {
    price_drift_window_s: 60, open_orders_max: null, cancel_reserve: 0, daily_loss_max: "250.5", symbols_allowed: ["AAPL", "MSFT"],
    strategies_allowed: { b1: "", b2: "hash" }, is_self_match_refused: true, exposure_warn_pct: "80", fee_bps: "1",
  },
} as unknown as LimitsView; // prettier-ignore

describe("limits as texts", () => {
  it("come back as they were", () => {
    const body = bodyOf(fieldsOf(LIMITS), 3, " why ");
    expect(body).toMatchObject({ order_qty_max: "100.000000000", may_short: false, base_version: 3, reason: "why" });
    expect(body.controls).toMatchObject({
      open_orders_max: null,
      cancel_reserve: 0,
      daily_loss_max: "250.5",
      symbols_allowed: ["AAPL", "MSFT"],
      strategies_allowed: { b1: "", b2: "hash" },
      is_self_match_refused: true,
    });
  });

  it("send what is no number as it was typed, for the server to refuse", () => {
    expect(bodyOf({ ...fieldsOf(LIMITS), open_orders_max: "3.5", daily_loss_max: "a lot" }, 3, "x").controls).toMatchObject({
      open_orders_max: "3.5",
      daily_loss_max: "a lot",
    });
  });
});

describe("what a change lets pass", () => {
  const looser = (name: string, after: string) => changesOf(fieldsOf(LIMITS), { ...fieldsOf(LIMITS), [name]: after }).map((one) => one.isLooser);
  it.each([
    ["order_qty_max", "101", [true]],
    ["order_qty_max", "99.5", [false]],
    ["order_qty_max", "100", []],
    ["order_qty_max", "1000", [true]],
    ["daily_loss_max", "", [true]],
    ["open_orders_max", "5", [false]],
    ["may_short", "yes", [true]],
    ["is_self_match_refused", "no", [true]],
    ["cancel_reserve", "2", [false]],
    ["fee_bps", "0", [true]],
    ["symbols_allowed", "AAPL", [false]],
    ["symbols_allowed", "AAPL TSLA", [true]],
    ["symbols_allowed", "", [true]],
    ["strategies_allowed", "b1 b2=other", [true]],
    ["exposure_warn_pct", "100", [false]],
  ])("%s to %s", (name, after, expected) => expect(looser(name, after)).toEqual(expected));
});

it("draws a bar between nothing and full, and warns from the share on", () => {
  expect([fullness("50", "200"), fullness("-5", "10"), fullness("30", "10"), fullness("1", "0")]).toEqual([25, 0, 100, 0]);
  expect(toneOf("79.9", "100", "80")).toBe("ok");
  expect(toneOf("80", "100", "80")).toBe("warn");
  expect(toneOf("100", "100", "80")).toBe("danger");
});

it("writes names and values for people", () => {
  expect([inWords("order_qty_max"), inWords("may_short"), inWords("is_session_enforced")]).toEqual(["Order qty max", "May short", "Session enforced"]);
  expect([shown("x", ""), shown("x", "1000.50"), shown("may_short", "yes")]).toEqual(["not set", "1,000.5", "yes"]);
});
