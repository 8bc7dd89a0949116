/** Keeps the draft on the server while somebody draws, and makes versions of it: one request after another, never two. */

import type { Graph } from "./graph";
import { type Base, type DrawingStore, graphOf, isUnsaved } from "./store";

/** What the server is asked for; it refuses with an error that has a code. */
export interface Shelf {
  keepDraft: (graph: Graph, about: { baseVersion: number; revision: number }) => Promise<{ revision: number }>;
  discardDraft: () => Promise<unknown>;
  saveVersion: (graph: Graph, about: { baseVersion: number; note: string }) => Promise<{ version: number; versionId: string }>;
}

export type Conflict = "draft" | "version";

export type DraftState =
  | { kind: "none" }
  | { kind: "waiting" }
  | { kind: "kept"; at: string }
  | { kind: "failed"; reason: string }
  /** Another window of the same person kept another draft, or somebody saved: a person has to choose. */
  | { kind: "conflict"; of: Conflict };

interface Options {
  store: DrawingStore;
  shelf: Shelf;
  revision: number;
  codeOf: (error: unknown) => string;
  pauseMs?: number;
}

const PAUSE_MS = 800;
const RETRY_MS = 5000;
const CONFLICTS: Record<string, Conflict> = { DRAFT_CONFLICT: "draft", VERSION_CONFLICT: "version" };

export class Keeper {
  private readonly store: DrawingStore;
  private readonly shelf: Shelf;
  private readonly codeOf: (error: unknown) => string;
  private readonly pauseMs: number;
  private readonly listeners = new Set<() => void>();
  private revision: number;
  private kept: Graph | null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private line: Promise<unknown> = Promise.resolve();
  private leave: () => void = () => undefined;
  private now: DraftState = { kind: "none" };

  constructor({ store, shelf, revision, codeOf, pauseMs = PAUSE_MS }: Options) {
    this.store = store;
    this.shelf = shelf;
    this.revision = revision;
    this.codeOf = codeOf;
    this.pauseMs = pauseMs;
    this.kept = revision > 0 ? graphOf(store.getState()) : null;
  }

  readonly state = (): DraftState => this.now;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Begin to follow the drawing; returns what ends it. */
  start(): () => void {
    let last = graphOf(this.store.getState());
    this.leave = this.store.subscribe((state) => {
      if (graphOf(state) === last) return;
      last = graphOf(state);
      this.soon(this.pauseMs);
    });
    return () => {
      this.leave();
      clearTimeout(this.timer);
    };
  }

  private become(next: DraftState): void {
    this.now = next;
    for (const listener of this.listeners) listener();
  }

  private soon(afterMs: number): void {
    clearTimeout(this.timer);
    if (this.now.kind === "conflict") return;
    this.become({ kind: "waiting" });
    this.timer = setTimeout(() => void this.keep(), afterMs);
  }

  private inLine<T>(work: () => Promise<T>): Promise<T> {
    const next = this.line.then(work);
    this.line = next.catch(() => undefined);
    return next;
  }

  /** Keep what is drawn now, unless it is kept already. */
  keep(): Promise<void> {
    clearTimeout(this.timer);
    return this.inLine(async () => {
      const state = this.store.getState();
      const graph = graphOf(state);
      try {
        if (!isUnsaved(state)) {
          if (this.revision > 0) await this.shelf.discardDraft();
          this.revision = 0;
          this.kept = null;
          this.become({ kind: "none" });
        } else if (graph !== this.kept) {
          const { revision } = await this.shelf.keepDraft(graph, { baseVersion: state.base.version, revision: this.revision });
          this.revision = revision;
          this.kept = graph;
          this.become({ kind: "kept", at: new Date().toISOString() });
        } else if (this.now.kind === "waiting") {
          this.become({ kind: "kept", at: new Date().toISOString() });
        }
      } catch (error) {
        this.failed(error);
        return;
      }
      if (graphOf(this.store.getState()) !== graph) this.soon(this.pauseMs);
    });
  }

  /** Make a version of what is drawn now; what is changed meanwhile stays unsaved. Throws what the server refuses. */
  save(note = ""): Promise<Base> {
    clearTimeout(this.timer);
    return this.inLine(async () => {
      const state = this.store.getState();
      const graph = graphOf(state);
      if (!isUnsaved(state)) return state.base;
      try {
        const made = await this.shelf.saveVersion(graph, { baseVersion: state.base.version, note });
        const base = { ...made, graph };
        this.revision = 0;
        this.kept = null;
        this.store.getState().stored(base);
        this.become({ kind: "none" });
        if (graphOf(this.store.getState()) !== graph) this.soon(this.pauseMs);
        return base;
      } catch (error) {
        this.failed(error);
        throw error;
      }
    });
  }

  private failed(error: unknown): void {
    const conflict = CONFLICTS[this.codeOf(error)];
    if (conflict !== undefined) {
      this.become({ kind: "conflict", of: conflict });
      return;
    }
    this.become({ kind: "failed", reason: error instanceof Error ? error.message : "for a reason nobody gave" });
    if (this.codeOf(error) === "") this.timer = setTimeout(() => void this.keep(), RETRY_MS);
  }

  /** Go on from here after a conflict: with one's own drawing over what the server has, or with the server's. */
  resolve(revision: number, taken?: { graph: Graph; base: Base }): Promise<void> {
    this.revision = revision;
    this.kept = null;
    this.become({ kind: "none" });
    if (taken === undefined) return this.keep();
    this.store.getState().take(taken.graph, taken.base);
    this.kept = revision > 0 ? taken.graph : null;
    clearTimeout(this.timer);
    this.become(revision > 0 ? { kind: "kept", at: new Date().toISOString() } : { kind: "none" });
    return Promise.resolve();
  }

  /** Whether everything drawn is at least in the draft: leaving loses nothing. */
  isSafe(): boolean {
    const state = this.store.getState();
    return !isUnsaved(state) || graphOf(state) === this.kept;
  }
}
