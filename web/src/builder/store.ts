/** The graph that is being drawn. While it differs from what is stored, what stands here is the only truth. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { fingerprint, type Graph, wireKey } from "./graph";
import { begun, changed, type History, redone, settled, undone } from "./history";

/** The version a strategy was opened at or last saved as. */
export interface Base {
  version: number;
  versionId: string;
  graph: Graph;
}

export interface Problem {
  code: string;
  node: string;
  port: string;
  message: string;
  fix: string;
}

export interface Examined {
  problems: readonly Problem[];
  warnings: readonly Problem[];
  hash: string;
  warmUp: number;
}

export interface LogLine {
  at: string;
  text: string;
  tone: "" | "warn" | "danger";
  /** Where more of it is. */
  to?: string;
}

export interface Drawing {
  base: Base;
  history: History<Graph>;
  nodes: ReadonlySet<string>;
  wires: ReadonlySet<string>;
  examined: Examined | null;
  log: readonly LogLine[];
  /** Why the last thing tried on the canvas was refused. */
  refusal: string;

  /** Change the graph; changes under the same mark one after another are one step of undo. */
  change: (edit: (graph: Graph) => Graph, mark?: string) => void;
  settle: () => void;
  undo: () => void;
  redo: () => void;
  select: (nodes: Iterable<string>, wires?: Iterable<string>) => void;
  refuse: (reason: string) => void;
  tell: (text: string, more?: { tone?: LogLine["tone"]; to?: string }) => void;
  found: (examined: Examined | null) => void;
  /** A version holds this graph: what was changed since is still unsaved. */
  stored: (base: Base) => void;
  /** Take another version or draft in; undo brings back what was there. */
  take: (graph: Graph, base: Base) => void;
}

export type DrawingStore = StoreApi<Drawing>;

const LINES_MAX = 200;

export function graphOf(state: Drawing): Graph {
  return state.history.present;
}

/** Whether there is anything no version holds. */
export function isUnsaved(state: Drawing): boolean {
  return state.history.present !== state.base.graph && fingerprint(state.history.present) !== fingerprint(state.base.graph);
}

/** Another step of the history; what is no longer there is no longer chosen. */
function stepped(state: Drawing, history: History<Graph>): Partial<Drawing> {
  const ids = new Set(history.present.nodes.map((node) => node.id));
  const keys = new Set(history.present.edges.map(wireKey));
  const nodes = new Set([...state.nodes].filter((id) => ids.has(id)));
  const wires = new Set([...state.wires].filter((key) => keys.has(key)));
  return { history, nodes, wires, refusal: "" };
}

export function createDrawing(base: Base, opened: Graph = base.graph): DrawingStore {
  return createStore<Drawing>()((set) => ({
    base,
    history: opened === base.graph ? begun(opened) : changed(begun(base.graph), opened),
    nodes: new Set(),
    wires: new Set(),
    examined: null,
    log: [],
    refusal: "",
    change: (edit, mark) =>
      set((state) => ({ history: changed(state.history, edit(state.history.present), mark), refusal: "" })),
    settle: () => set((state) => ({ history: settled(state.history) })),
    undo: () => set((state) => stepped(state, undone(state.history))),
    redo: () => set((state) => stepped(state, redone(state.history))),
    select: (nodes, wires = []) => set({ nodes: new Set(nodes), wires: new Set(wires) }),
    refuse: (refusal) => set({ refusal }),
    tell: (text, { tone = "", to } = {}) =>
      set((state) => ({
        log: [{ at: new Date().toISOString(), text, tone, ...(to === undefined ? {} : { to }) }, ...state.log].slice(0, LINES_MAX),
      })),
    found: (examined) => set({ examined }),
    stored: (next) => set({ base: next }),
    take: (graph, next) =>
      set((state) => ({ base: next, ...stepped(state, changed(settled(state.history), graph)) })),
  }));
}
