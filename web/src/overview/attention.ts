/** What wants to be looked at: gathered from what the services say, without what was put aside. */

import type { AlertView, DeploymentView, FeedView, OrderView, PlatformHealth } from "../api/schema";

export interface Item {
  key: string;
  severity: "danger" | "warn";
  title: string;
  detail: string;
  at: string | null;
  /** The very row it is about. */
  to: string;
  search: Record<string, string>;
}

export interface Told {
  alerts: readonly AlertView[];
  orders: readonly OrderView[];
  feeds: readonly FeedView[];
  deployments: readonly DeploymentView[];
  health: PlatformHealth | undefined;
}

const DAY_MS = 86_400_000;
const REFUSED = new Set(["rejected", "denied"]);

/** Everything there is to look at, the gravest first, then the newest. */
export function itemsOf(told: Told, now: number): Item[] {
  const items = [
    ...(told.health?.services ?? []).filter((one) => one.status !== "ok").map((one) => downItem(one.service, one.code)),
    ...told.alerts.filter((one) => one.acknowledged_at === null).map(alertItem),
    ...told.orders.filter((one) => REFUSED.has(one.status) && now - Date.parse(one.created_at) < DAY_MS).map(orderItem),
    ...told.feeds.filter((one) => one.status === "failed" || (one.source !== "" && one.error !== "")).map(feedItem),
    ...told.deployments.filter((one) => one.status === "failed").map(deploymentItem),
  ];
  return items.sort((a, b) => rank(a) - rank(b) || Date.parse(b.at ?? "") - Date.parse(a.at ?? "") || 0);
}

function rank({ severity }: Item): number {
  return severity === "danger" ? 0 : 1;
}

function downItem(service: string, code: string): Item {
  const title = `The ${service} service is down`;
  return { key: `down:${service}`, severity: "danger", title, detail: code, at: null, to: "/about", search: {} };
}

function alertItem(one: AlertView): Item {
  const severity = one.severity === "critical" || one.severity === "severe" ? "danger" : "warn";
  return { key: `alert:${one.alert_id}`, severity, title: one.title, detail: one.detail, at: one.raised_at, to: "/risk", search: { alert: one.alert_id } };
}

function orderItem(one: OrderView): Item {
  const what = `${one.side === "buy" ? "Buy" : "Sell"} ${one.qty ?? one.notional ?? ""} ${one.symbol}`;
  return {
    key: `order:${one.order_id}`,
    severity: "warn",
    title: `Order refused: ${what}`,
    detail: one.reason === "" ? one.reason_code : `${one.reason} (${one.reason_code})`,
    at: one.created_at,
    to: "/orders",
    search: { account: one.account_id, order: one.order_id },
  };
}

function feedItem(one: FeedView): Item {
  return { key: `feed:${one.feed_id}`, severity: "warn", title: `No prices from ${one.name}`, detail: one.error, at: null, to: "/markets", search: { feed: one.feed_id } };
}

function deploymentItem(one: DeploymentView): Item {
  return {
    key: `deployment:${one.deployment_id}`,
    severity: "danger",
    title: `A strategy in ${one.symbol} has stopped on an error`,
    detail: one.error,
    at: null,
    to: "/strategies",
    search: { deployment: one.deployment_id },
  };
}

/** What was put aside: until when, in milliseconds since 1970; 0 is for good. */
export type Aside = Record<string, number>;

const KEPT_MAX = 60;

export function readAside(kept: string | undefined): Aside {
  try {
    const found: unknown = JSON.parse(kept ?? "{}");
    if (typeof found !== "object" || found === null) return {};
    return Object.fromEntries(Object.entries(found).filter((one): one is [string, number] => typeof one[1] === "number"));
  } catch {
    return {};
  }
}

export function isAside(aside: Aside, key: string, now: number): boolean {
  const until = aside[key];
  return until !== undefined && (until === 0 || until > now);
}

/** The same with one more; what has run out goes, and of too many the oldest. */
export function putAside(aside: Aside, key: string, until: number, now: number): Aside {
  const others = Object.entries(aside).filter(([one]) => one !== key && isAside(aside, one, now));
  return Object.fromEntries([...others.slice(1 - KEPT_MAX), [key, until]]);
}
