/** What several accounts are worth together. */

import type { PortfolioHistoryView, SummaryView } from "../api/schema";
import { compareDecimals, negated, sumOf } from "../format/decimals";

export interface Together {
  currency: string;
  equity: string;
  today: string;
  profit: string;
  unrealized: string;
  cash: string;
  /** How many accounts are in it, and how many in other currencies are not. */
  accounts: number;
  others: number;
}

/** The sums over the accounts of one currency: what has different units is never added. */
export function together(summaries: readonly SummaryView[], currency: string): Together {
  const meant = summaries.filter((one) => one.currency === currency);
  const sum = (of: (one: SummaryView) => string) => sumOf(meant.map(of));
  return {
    currency,
    equity: sum((one) => one.equity),
    today: sumOf(meant.flatMap((one) => [one.equity, negated(one.last_equity)])),
    profit: sum((one) => one.profit),
    unrealized: sum((one) => one.unrealized_pnl),
    cash: sum((one) => one.cash),
    accounts: meant.length,
    others: summaries.length - meant.length,
  };
}

export interface Worth {
  at: number;
  value: number;
}

const WEEK_S = 7 * 86_400;

export interface Course {
  points: Worth[];
  /** How many accounts are in it: those whose prices are of the same time as the first one's. */
  accounts: number;
}

/**
 * What accounts were worth together over time, for a chart. An account that began later adds from its begin on. One whose
 * replay is in another year is left out: its time is not the others'.
 */
export function courseOf(histories: readonly PortfolioHistoryView[]): Course {
  const filled = histories.filter((one) => one.timestamps.length > 0);
  const end = lastOf(filled[0]);
  const meant = filled.filter((one) => Math.abs(lastOf(one) - end) <= WEEK_S);
  const changes = meant
    .flatMap((one, index) => one.timestamps.map((text, place) => ({ at: secondsOf(text), index, value: Number(one.equity[place]) })))
    .sort((a, b) => a.at - b.at);
  const latest = new Map<number, number>();
  const points: Worth[] = [];
  for (const { at, index, value } of changes) {
    latest.set(index, value);
    const total = [...latest.values()].reduce((sum, one) => sum + one, 0);
    const last = points.at(-1);
    if (last?.at === at) last.value = total;
    else points.push({ at, value: total });
  }
  return { points, accounts: meant.length };
}

function secondsOf(text: string): number {
  return Date.parse(text) / 1000;
}

function lastOf(history: PortfolioHistoryView | undefined): number {
  return secondsOf(history?.timestamps.at(-1) ?? "");
}

/** Which way an amount goes, for its colour. */
export function toneOf(amount: string): "up" | "down" | undefined {
  const order = compareDecimals(amount, "0");
  return order === null || order === 0 ? undefined : order > 0 ? "up" : "down";
}
