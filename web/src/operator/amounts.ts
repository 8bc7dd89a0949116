/** Amounts of storage and of time, as operators read them. */

import { decimal } from "../format/numbers";

const STEPS: readonly [number, string][] = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
];

/** Bytes in one unit, with a digit behind the point above a kilobyte. */
export function bytes(value: number): string {
  const step = STEPS.find(([from]) => value >= from);
  return step === undefined ? `${value} B` : `${decimal((value / step[0]).toFixed(1), { digits: 1 })} ${step[1]}`;
}

/** Memory as the supervisor counts it. */
export function mebibytes(kib: number | null): string {
  return kib === null ? "\u2014" : `${decimal((kib / 1024).toFixed(1), { digits: 1 })} MiB`;
}

/** A measured number with one digit behind the point. */
export function tenth(value: number | null): string {
  return value === null ? "\u2014" : decimal(value.toFixed(1), { digits: 1 });
}
