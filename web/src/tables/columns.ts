/** What tables do with rows before any is drawn: order, filter, sums and the file people take away. */

import type { ReactNode } from "react";
import { compareDecimals, isDecimal, sumOf } from "../format/decimals";

export type Cell = string | number | null;

export interface Column<R> {
  id: string;
  head: string;
  /** For sorting, filtering and CSV; amounts as decimal text. */
  value: (row: R) => Cell;
  cell?: (row: R) => ReactNode;
  isNumeric?: boolean;
  /** Left out until somebody chooses it. */
  isHidden?: boolean;
  /** Whether the sum over the selected rows means something. */
  isSummed?: boolean;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** The order of two cells that are there, smallest first. */
export function compareCells(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [first, second] = [String(a), String(b)];
  return compareDecimals(first, second) ?? collator.compare(first, second);
}

/** The rows in which every word of the filter stands somewhere. */
export function filtered<R>(rows: readonly R[], columns: readonly Column<R>[], filter: string): readonly R[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = columns.map((column) => column.value(row) ?? "").join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The sums of the columns that are summed, over these rows. */
export function sums<R>(rows: readonly R[], columns: readonly Column<R>[]): readonly [Column<R>, string][] {
  return columns
    .filter((column) => column.isSummed === true)
    .map((column) => [column, sumOf(rows.map((row) => String(column.value(row) ?? "")))]);
}

/** A cell of a CSV file: quoted where needed, and never a formula to the program that opens it. */
export function csvCell(value: Cell): string {
  const text = value === null ? "" : String(value);
  const isNumber = typeof value === "number" || isDecimal(text);
  const safe = !isNumber && /^\s*[=+\-@|%]|^[\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The rows as CSV (RFC 4180), with a line of heads. */
export function csv<R>(rows: readonly R[], columns: readonly Column<R>[]): string {
  const lines = [columns.map((column) => csvCell(column.head)), ...rows.map((row) => columns.map((one) => csvCell(one.value(row))))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}
