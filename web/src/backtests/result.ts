/** What the result of a backtest holds, as far as pages show it. Amounts are decimal text, statistics are floats. */

import type { BacktestView } from "../api/schema";

export interface Trade {
  symbol?: string;
  opened_ts: string;
  closed_ts: string;
  bars: number;
  side: "buy" | "sell";
  qty: string;
  entry_price: string;
  exit_price: string;
  gross: string;
  fees: string;
  net: string;
  entry_tag: string;
  exit_tag: string;
}

export interface Fill {
  symbol?: string;
  client_order_id: string;
  ts: string;
  side: "buy" | "sell";
  qty: string;
  price: string;
  fee: string;
  leg: string;
  is_ambiguous: boolean;
}

export interface Caution {
  code: string;
  node: string;
  message: string;
  fix: string;
}

export interface Denial {
  symbol?: string;
  client_order_id: string;
  ts: string;
  findings: { code: string; detail?: string; message?: string }[];
}

/** Name, trades, trades that gained, net, fees. */
export type Group = [string, number, number, number, number];

export interface Result {
  trades: Trade[];
  fills: Fill[];
  denials: Denial[];
  /** How far prices went against and for each trade, as shares. */
  excursions: [number, number][];
  course: { days?: number[]; equity?: number[]; benchmark?: number[] };
  summary: { groups?: Record<string, Group[]>; ambiguous?: { count: number; exits: number; gain: number } };
  left_out: Record<string, number>;
  blocked: Record<string, number>;
  honesty: {
    fill_model: string;
    fees: { commission_bps: string; per_share: string; minimum: string };
    slippage_bps: string;
    bars: number;
    warm_up_bars: number;
    first_ts: string;
    last_ts: string;
    largest_gap_days: number;
    is_position_open: boolean;
    is_order_working: boolean;
    limit_version: number;
    limit_hash: string;
    cautions?: Caution[];
    /** What a bar did to stops and targets; results of before have none. */
    intrabar?: string;
  };
}

export function resultOf(backtest: BacktestView): Result {
  return backtest.result as unknown as Result;
}

const PENDING = new Set(["queued", "running"]);

/** Whether it still waits or runs. */
export function isPending(run: { status: string }): boolean {
  return PENDING.has(run.status);
}

/** The strategy of a run as its owner calls it. */
export function nameOf(run: BacktestView, names: ReadonlyMap<string, string>): string {
  if (run.template !== "") return `Template ${run.template}`;
  return (run.workflow_id === null ? undefined : names.get(run.workflow_id)) ?? "Strategy no longer seen";
}

export interface MonthlyYear {
  year: number;
  /** Twelve shares, null where there was none. */
  months: (number | null)[];
  whole: number;
}

const DAY_MS = 86_400_000;
const MONTHS = 12;

/** The return of each month and year over the last value of the one before; days count from 1970. */
export function monthly(days: readonly number[], equity: readonly number[]): MonthlyYear[] {
  const ends = new Map<number, Map<number, number>>();
  days.forEach((day, place) => {
    const at = new Date(day * DAY_MS);
    const year = ends.get(at.getUTCFullYear()) ?? new Map<number, number>();
    year.set(at.getUTCMonth(), equity[place] ?? 0);
    ends.set(at.getUTCFullYear(), year);
  });
  let before = equity[0] ?? 1;
  const grown = (from: number, to: number) => (from > 0 ? to / from - 1 : 0);
  return [...ends].map(([year, months]) => {
    const began = before;
    const row: (number | null)[] = Array<null>(MONTHS).fill(null);
    for (const [month, end] of months) {
      row[month] = grown(before, end);
      before = end;
    }
    return { year, months: row, whole: grown(began, before) };
  });
}

export interface Bin {
  from: number;
  to: number;
  count: number;
}

/** How many values lie in each of equal ranges around zero; an odd number of them, so that one holds zero. */
export function histogram(values: readonly number[], bins = 21): Bin[] {
  const edge = Math.max(...values.map(Math.abs));
  if (values.length === 0 || edge === 0) return [];
  const width = (2 * edge) / bins;
  const found = Array.from({ length: bins }, (_, place) => ({ from: -edge + place * width, to: -edge + (place + 1) * width, count: 0 }));
  for (const value of values) {
    const bin = found[Math.min(bins - 1, Math.floor((value + edge) / width))];
    if (bin !== undefined) bin.count += 1;
  }
  return found;
}

/** The gain or loss of each trade as a share of what it was opened with. */
export function tradeReturns(trades: readonly Trade[]): number[] {
  return trades.map((trade) => Number(trade.net) / (Number(trade.entry_price) * Number(trade.qty))).filter(Number.isFinite);
}
