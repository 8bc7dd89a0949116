import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withParam } from "./editing";
import type { Graph } from "./graph";
import { Keeper, type Shelf } from "./keeping";
import { GRAPH } from "./samples";
import { createDrawing, graphOf, isUnsaved } from "./store";

class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** A server: it has one draft with a revision, and versions; what it is asked waits until it is let go. */
class Town implements Shelf {
  revision = 0;
  version = 1;
  draft: Graph | null = null;
  asked: string[] = [];
  gate: Promise<void> = Promise.resolve();

  async keepDraft(graph: Graph, about: { baseVersion: number; revision: number }) {
    this.asked.push(`draft ${about.revision}`);
    await this.gate;
    if (about.revision !== this.revision) throw new Refused("DRAFT_CONFLICT");
    this.draft = graph;
    return { revision: ++this.revision };
  }

  async discardDraft() {
    this.asked.push("discard");
    this.revision = 0;
    this.draft = null;
  }

  async saveVersion(_graph: Graph, about: { baseVersion: number }) {
    this.asked.push(`save on ${about.baseVersion}`);
    await this.gate;
    if (about.baseVersion !== this.version) throw new Refused("VERSION_CONFLICT");
    this.revision = 0;
    return { version: ++this.version, versionId: `v${this.version}` };
  }
}

const codeOf = (error: unknown) => (error instanceof Refused ? error.code : "");
const BASE = { version: 1, versionId: "v1", graph: GRAPH };
const period = (value: number) => (graph: Graph) => withParam(graph, "fast", "period", value);

function opened() {
  const town = new Town();
  const store = createDrawing(BASE);
  const keeper = new Keeper({ store, shelf: town, revision: 0, codeOf });
  keeper.start();
  return { town, store, keeper };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("keeps a draft after a pause, once for all that was typed", async () => {
  const { town, store, keeper } = opened();
  for (const value of [6, 7, 8]) store.getState().change(period(value));
  expect(keeper.isSafe()).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(town.asked).toEqual(["draft 0"]);
  expect(keeper.isSafe()).toBe(true);
  store.getState().change(period(9));
  await vi.advanceTimersByTimeAsync(2000);
  expect(town.asked).toEqual(["draft 0", "draft 1"]);
});

it("leaves unsaved what is changed during a save", async () => {
  const { town, store, keeper } = opened();
  let open: () => void = () => undefined;
  town.gate = new Promise((done) => (open = done));
  store.getState().change(period(6));
  const saving = keeper.save();
  await vi.advanceTimersByTimeAsync(10);
  store.getState().change(period(7));
  open();
  expect((await saving).version).toBe(2);
  expect(isUnsaved(store.getState())).toBe(true);
  await vi.advanceTimersByTimeAsync(2000);
  expect(town.draft).toBe(graphOf(store.getState()));
  expect(town.asked).toEqual(["save on 1", "draft 0"]);
});

it("asks for one thing at a time, and saves what is drawn when its turn comes", async () => {
  const { town, store, keeper } = opened();
  let open: () => void = () => undefined;
  town.gate = new Promise((done) => (open = done));
  store.getState().change(period(6));
  void keeper.keep();
  const saving = keeper.save();
  await vi.advanceTimersByTimeAsync(10);
  expect(town.asked).toEqual(["draft 0"]);
  open();
  await saving;
  expect(town.asked).toEqual(["draft 0", "save on 1"]);
  expect(isUnsaved(store.getState())).toBe(false);
});

it("forgets the draft when everything is taken back", async () => {
  const { town, store } = opened();
  store.getState().change(period(6));
  await vi.advanceTimersByTimeAsync(2000);
  store.getState().undo();
  await vi.advanceTimersByTimeAsync(2000);
  expect(town.asked).toEqual(["draft 0", "discard"]);
});

it("makes no version of what a version holds already", async () => {
  const { town, keeper } = opened();
  expect((await keeper.save()).version).toBe(1);
  expect(town.asked).toEqual([]);
});

it("stops at another window's draft and goes on as a person says", async () => {
  const { town, store, keeper } = opened();
  town.revision = 3;
  store.getState().change(period(6));
  await vi.advanceTimersByTimeAsync(2000);
  expect(keeper.state()).toEqual({ kind: "conflict", of: "draft" });
  store.getState().change(period(7));
  await vi.advanceTimersByTimeAsync(9000);
  expect(town.asked).toEqual(["draft 0"]);
  await keeper.resolve(3);
  expect(town.draft).toBe(graphOf(store.getState()));

  const other = opened();
  other.town.revision = 3;
  other.store.getState().change(period(6));
  await vi.advanceTimersByTimeAsync(2000);
  const theirs = period(40)(GRAPH);
  await other.keeper.resolve(3, { graph: theirs, base: BASE });
  await vi.advanceTimersByTimeAsync(2000);
  expect(graphOf(other.store.getState())).toBe(theirs);
  expect(other.town.asked).toEqual(["draft 0"]);
  other.store.getState().undo();
  expect(graphOf(other.store.getState()).nodes.find((node) => node.id === "fast")?.params["period"]).toBe(6);
});

it("tells of a conflict of versions and loses nothing", async () => {
  const { town, store, keeper } = opened();
  town.version = 2;
  store.getState().change(period(6));
  await expect(keeper.save()).rejects.toThrow("VERSION_CONFLICT");
  expect(keeper.state()).toEqual({ kind: "conflict", of: "version" });
  expect(isUnsaved(store.getState())).toBe(true);
});

it("tries again where nobody answered, not where it was refused", async () => {
  const { town, store, keeper } = opened();
  const keep = town.keepDraft.bind(town);
  town.keepDraft = () => Promise.reject(new Error("the server does not answer"));
  store.getState().change(period(6));
  await vi.advanceTimersByTimeAsync(2000);
  expect(keeper.state()).toEqual({ kind: "failed", reason: "the server does not answer" });
  town.keepDraft = keep;
  await vi.advanceTimersByTimeAsync(9000);
  expect(keeper.state().kind).toBe("kept");
});
