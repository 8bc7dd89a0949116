/** What a chart shows, as plain data: panes over one time scale, each with layers. */

import { NOT_APPLICABLE } from "../format/numbers";
import { type Column, csv } from "../tables/columns";

/** Colours by meaning; which they are, the theme says. */
export type Ink = "accent" | "dim" | "up" | "down" | "warn";

/** A value at an instant, in seconds since 1970 (UTC). Charts alone may use floats for amounts. */
export interface Point {
  at: number;
  value: number;
}

export interface Candle {
  at: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

/** A fill on a price: an arrow with B below the bar, or with S above it. */
export interface Mark {
  id: string;
  at: number;
  side: "buy" | "sell";
}

interface LayerBase {
  id: string;
  label: string;
  /** How a value of this layer is written, on its axis and in the table. */
  write: (value: number) => string;
}

export interface CandleLayer extends LayerBase {
  kind: "candles";
  points: readonly Candle[];
  marks?: readonly Mark[];
}

export interface ValueLayer extends LayerBase {
  kind: "line" | "area" | "columns";
  ink: Ink;
  points: readonly Point[];
}

export type Layer = CandleLayer | ValueLayer;

export interface PaneSpec {
  id: string;
  /** Its part of the height, beside the others'. */
  share: number;
  /** Whether "Log" applies to it. */
  hasLog?: boolean;
  layers: readonly Layer[];
}

export const RANGES = ["1M", "3M", "1Y", "All"] as const;
export type Range = (typeof RANGES)[number];

const DAY_S = 86_400;
const RANGE_DAYS: Record<Range, number> = { "1M": 31, "3M": 92, "1Y": 366, All: Number.POSITIVE_INFINITY };

/** A range as the address holds it; anything else is all. */
export function rangeOf(value: unknown): Range {
  return RANGES.find((one) => one === value) ?? "All";
}

/** From when on a range shows, in seconds; null for all there is. */
export function rangeStart(range: Range, last: number): number | null {
  return range === "All" ? null : last - RANGE_DAYS[range] * DAY_S;
}

/** The instant of the last point of any layer, null where there is none. */
export function lastOf(panes: readonly PaneSpec[]): number | null {
  const ends = panes.flatMap((pane) => pane.layers.map((layer) => layer.points.at(-1)?.at ?? Number.NEGATIVE_INFINITY));
  const last = Math.max(...ends);
  return Number.isFinite(last) ? last : null;
}

/** How far each value lies below the highest so far, as a share of it: zero or less. */
export function fallsOf(points: readonly Point[]): Point[] {
  let peak = Number.NEGATIVE_INFINITY;
  return points.map(({ at, value }) => {
    peak = Math.max(peak, value);
    return { at, value: peak > 0 ? value / peak - 1 : 0 };
  });
}

export interface ChartColumn {
  id: string;
  label: string;
  write: (value: number) => string;
}

export interface ChartRow {
  at: number;
  values: ReadonlyMap<string, number>;
}

/** The columns of the chart as a table: candles have four. */
export function columnsOf(panes: readonly PaneSpec[]): ChartColumn[] {
  return panes.flatMap((pane) => pane.layers).flatMap((layer) =>
    layer.kind === "candles"
      ? (["open", "high", "low", "close"] as const).map((part) => ({
          id: `${layer.id}.${part}`,
          label: part.charAt(0).toUpperCase() + part.slice(1),
          write: layer.write,
        }))
      : [{ id: layer.id, label: layer.label, write: layer.write }],
  );
}

/** The rows of the chart as a table, newest first: one for each instant any layer knows. */
export function rowsOf(panes: readonly PaneSpec[]): ChartRow[] {
  const rows = new Map<number, Map<string, number>>();
  const rowAt = (at: number) => {
    const known = rows.get(at);
    if (known !== undefined) return known;
    const made = new Map<string, number>();
    rows.set(at, made);
    return made;
  };
  for (const layer of panes.flatMap((pane) => pane.layers)) {
    if (layer.kind === "candles") {
      for (const bar of layer.points) {
        const row = rowAt(bar.at);
        for (const part of ["open", "high", "low", "close"] as const) row.set(`${layer.id}.${part}`, bar[part]);
      }
    } else {
      for (const { at, value } of layer.points) rowAt(at).set(layer.id, value);
    }
  }
  return [...rows].sort(([one], [other]) => other - one).map(([at, values]) => ({ at, values }));
}

/** The chart as the columns of a table. */
export function tableColumns(panes: readonly PaneSpec[]): Column<ChartRow>[] {
  return [
    { id: "at", head: "Time", value: (row) => instant(row.at) },
    ...columnsOf(panes).map(({ id, label, write }) => ({
      id,
      head: label,
      isNumeric: true,
      value: (row: ChartRow) => row.values.get(id) ?? null,
      cell: (row: ChartRow) => {
        const value = row.values.get(id);
        return value === undefined ? NOT_APPLICABLE : write(value);
      },
    })),
  ];
}

/** The chart as CSV, oldest first, with the numbers as they are and not as they are shown. */
export function csvOf(panes: readonly PaneSpec[]): string {
  return csv(rowsOf(panes).reverse(), tableColumns(panes));
}

/** `2026-11-22T16:41:03Z` of seconds since 1970. */
export function instant(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
}
