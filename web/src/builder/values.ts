/** Values of nodes as they are shown: of each output the last bars, and the newest as text. */

import type { GraphPreviewView } from "../api/schema";
import { decimal } from "../format/numbers";

export interface Traced {
  kind: string;
  values: readonly (number | null)[];
}

export interface Previewed {
  symbol: string;
  times: readonly string[];
  series: ReadonlyMap<string, Traced>;
  leftOut: ReadonlyMap<string, string>;
}

const NUMBERS = new Set(["Num", "Size", "Weights"]);
const NOTHING = "\u2014";

export function previewedOf(view: GraphPreviewView): Previewed {
  return {
    symbol: view.symbol,
    times: view.times,
    series: new Map(view.series.map((one) => [`${one.node}.${one.port}`, { kind: one.kind, values: one.values }])),
    leftOut: new Map(view.left_out.map((one) => [one.node, one.reason])),
  };
}

/** Whether a kind of value is a course; the others hold or do not. */
export function isCourse(kind: string): boolean {
  return NUMBERS.has(kind);
}

export function valueText(kind: string, value: number | null | undefined): string {
  if (value == null) return NOTHING;
  if (isCourse(kind)) return plainNumber(value);
  if (kind === "Signal") return value > 0 ? "long" : value < 0 ? "short" : "no";
  return value === 0 ? "no" : kind === "Exit" && value !== 1 ? plainNumber(value) : "yes";
}

/** At most seven digits, grouped, without an exponent. */
export function plainNumber(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 1000 ? 2 : size >= 1 ? 4 : 6;
  return decimal(value.toFixed(digits));
}

/** A course as the path of a line in a box: gaps where there was no value. */
export function linePath(values: readonly (number | null)[], width: number, height: number): string {
  const known = values.filter((value): value is number => value !== null);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const step = width / Math.max(1, values.length - 1);
  let path = "";
  let isDown = false;
  values.forEach((value, place) => {
    if (value === null) {
      isDown = false;
      return;
    }
    const y = span === 0 ? height / 2 : height - ((value - low) / span) * height;
    path += `${isDown ? "L" : "M"}${(place * step).toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
  });
  return path;
}

/** The stretches over which a condition held, as the path of bars in a box. */
export function barsPath(values: readonly (number | null)[], width: number, height: number): string {
  const step = width / Math.max(1, values.length);
  let path = "";
  let since = -1;
  for (let place = 0; place <= values.length; place++) {
    const holds = (values[place] ?? 0) !== 0;
    if (holds && since < 0) since = place;
    if (!holds && since >= 0) {
      const wide = Math.max(1.5, (place - since) * step).toFixed(1);
      path += `M${(since * step).toFixed(1)} 0h${wide}v${height}h-${wide}z`;
      since = -1;
    }
  }
  return path;
}
