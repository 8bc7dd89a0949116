import { expect, it } from "vitest";
import type { AlertView, FeedView, OrderView, PlatformHealth } from "../api/schema";
import { isAside, itemsOf, putAside, readAside, type Told } from "./attention";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const NOTHING: Told = { alerts: [], orders: [], feeds: [], deployments: [], health: undefined };
const order = (status: string, created_at: string) =>
  ({ order_id: status + created_at, account_id: "a", side: "buy", qty: "5", symbol: "AAPL", status, created_at, reason: "too large", reason_code: "RISK_QTY_MAX" }) as OrderView;
const alert = (alert_id: string, acknowledged_at: string | null, severity = "warning") =>
  ({ alert_id, acknowledged_at, severity, title: alert_id, detail: "", raised_at: "2026-11-23T11:00:00Z" }) as AlertView;

it("takes refused orders of the last day and open alerts, the gravest first", () => {
  const orders = [order("denied", "2026-11-23T11:30:00Z"), order("rejected", "2026-11-22T11:59:59Z"), order("filled", "2026-11-23T11:30:00Z")];
  const health = { status: "down", version: "1", services: [{ service: "risk", status: "down", code: "BUS" }] } as PlatformHealth;
  const found = itemsOf({ ...NOTHING, orders, alerts: [alert("open", null), alert("done", "2026-11-23T11:30:00Z")], health }, NOW);
  expect(found.map((one) => one.title)).toEqual(["The risk service is down", "Order refused: Buy 5 AAPL", "open"]);
  expect(found[1]).toMatchObject({ to: "/orders", search: { account: "a", order: "denied2026-11-23T11:30:00Z" }, detail: "too large (RISK_QTY_MAX)" });
});

it("takes feeds that failed, and live ones whose prices do not come", () => {
  const feed = (status: string, source: string, error: string) => ({ feed_id: status + source + error, name: status, status, source, error }) as FeedView;
  const feeds = [feed("failed", "", "x"), feed("running", "", "old"), feed("running", "alpaca", "no answer"), feed("running", "alpaca", "")];
  expect(itemsOf({ ...NOTHING, feeds }, NOW).map((one) => one.key)).toEqual(["feed:failedx", "feed:runningalpacano answer"]);
});

it("puts aside until a time or for good, and forgets what has run out", () => {
  const aside = putAside(putAside({ old: NOW - 1 }, "later", NOW + 10, NOW), "never", 0, NOW);
  expect(aside).toEqual({ later: NOW + 10, never: 0 });
  expect([isAside(aside, "later", NOW), isAside(aside, "later", NOW + 11), isAside(aside, "never", NOW + 1e12), isAside(aside, "other", NOW)]).toEqual([true, false, true, false]);
  let many = {};
  for (let place = 0; place < 100; place += 1) many = putAside(many, `key${place}`, 0, NOW);
  expect(Object.keys(many)).toHaveLength(60);
  expect(Object.keys(many)[0]).toBe("key40");
});

it.each([undefined, "", "7", "null", "{", '{"a":"b"}'])("reads nothing out of %j", (kept) => {
  expect(readAside(kept)).toEqual({});
});
