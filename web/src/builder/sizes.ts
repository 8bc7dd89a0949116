/** How large nodes are on the canvas. */

import type { NodeType } from "./graph";

export const SNAP = 16;
export const WIDTH = 192;
export const COLUMN = 240;
export const ROW_GAP = 112;
const HEAD = 44;
const PORT = 20;
const TRACE = 34;

export function snapped(value: number): number {
  return Math.round(value / SNAP) * SNAP;
}

/** Height of a node: head, a row for each pair of ports, and its values below. */
export function heightOf(type: NodeType | undefined): number {
  const rows = Math.max(type?.inputs.length ?? 0, type?.outputs.length ?? 0, 1);
  return HEAD + rows * PORT + TRACE;
}
