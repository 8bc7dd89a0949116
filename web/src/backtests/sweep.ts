/** What the result of a sweep or a walk-forward holds, as far as pages show it. */

import type { SweepView, TrialView } from "../api/schema";

export interface Surface {
  /** The values of each parameter that was turned, in their order. */
  values?: Record<string, string[]>;
  /** For each trial the place of each value, and the score. */
  rows?: (number | null)[][];
  plateau?: {
    neighbours: number;
    median: number | null;
    share: number | null;
    positive: number | null;
    steadiest: { parameters: Record<string, string>; score: number | null };
    steadiest_median: number | null;
  } | null;
}

export interface Window {
  number: number;
  test: [string | null, string | null];
  parameters: Record<string, string>;
  in_sample: Record<string, number | null>;
  out_of_sample: Record<string, number | null>;
}

export interface SweepResultData {
  objective?: string;
  best?: { parameters: Record<string, string>; score: number | null } | null;
  surface?: Surface | null;
  pbo?: { pbo: number; splits: number; trials: number } | null;
  entries?: { p_value: number } | null;
  stress?: { outcomes: Record<string, number | null>; left_out: Record<string, string>; share: number | null } | null;
  windows?: Window[];
  stitched?: { sharpe: number | null; t: number | null; profitable: number };
  stability?: Record<string, number>;
  failed?: number;
  refused?: number | null;
}

export function resultOfSweep(sweep: SweepView): SweepResultData {
  return (sweep.result ?? {}) as unknown as SweepResultData;
}

export interface HeatCell {
  score: number;
  /** The values of all parameters of the trial in this cell, the best one where several are. */
  point: Record<string, string>;
}

export interface Heat {
  rowName: string;
  columnName: string;
  rows: string[];
  columns: string[];
  cells: (HeatCell | null)[][];
  best: HeatCell | null;
}

/** The scores over two parameters, of the others the best; with one parameter it is a single row. */
export function heatOf(surface: Surface | null | undefined, pair?: readonly [string, string]): Heat | null {
  const values = surface?.values ?? {};
  const names = Object.keys(values);
  const turned = names.filter((name) => (values[name]?.length ?? 0) > 1);
  const [rowName, columnName] = pair ?? [turned.length > 1 ? (turned[0] ?? "") : "", turned.length > 1 ? (turned[1] ?? "") : (turned[0] ?? "")];
  const [rows, columns] = [values[rowName] ?? [""], values[columnName] ?? []];
  if (columns.length === 0) return null;
  const cells: (HeatCell | null)[][] = rows.map(() => columns.map(() => null));
  let best: HeatCell | null = null;
  for (const row of surface?.rows ?? []) {
    const score = row.at(-1);
    if (score === null || score === undefined) continue;
    const place = (name: string) => (name === "" ? 0 : (row[names.indexOf(name)] ?? 0));
    const point = Object.fromEntries(names.map((name, at) => [name, values[name]?.[row[at] ?? 0] ?? ""]));
    const line = cells[place(rowName)];
    const known = line?.[place(columnName)];
    if (line === undefined || (known && known.score >= score)) continue;
    const cell = { score, point };
    line[place(columnName)] = cell;
    if (best === null || score > best.score) best = cell;
  }
  return { rowName, columnName, rows, columns, cells, best };
}

/** The trial of a sweep that tried a point; values count as numbers, however they are written. */
export function trialAt(trials: readonly TrialView[], point: Readonly<Record<string, string>>): TrialView | undefined {
  return trials.find(
    (trial) => trial.role === "sweep" && Object.entries(point).every(([name, value]) => Number(trial.parameters[name]) === Number(value)),
  );
}

export function pointText(point: Readonly<Record<string, string>>): string {
  return Object.entries(point)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
