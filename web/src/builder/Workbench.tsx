import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { isPassing } from "../api/problems";
import { mayTrade, useRole, useSessionState } from "../session/session";
import { arranged } from "./arrange";
import { baseOf, codeOf, examine, mayEdit, type Opened, shelfOf, useDatasets, usePreviewed } from "./asking";
import { Canvas } from "./Canvas";
import { ConflictDialog } from "./ConflictDialog";
import { type Bench, BenchContext, PreviewContext, useBench, useDrawing } from "./context";
import { Drawer, type Tab } from "./Drawer";
import { type Catalogue, fingerprint, type Graph, readGraph } from "./graph";
import { Inspector } from "./Inspector";
import { Keeper } from "./keeping";
import { type KeyDeeds, useCanvasKeys } from "./keys";
import { LeaveDialog } from "./LeaveDialog";
import { Palette } from "./Palette";
import { RunDialog, type RunTerms, USUAL_TERMS } from "./RunDialog";
import { run } from "./running";
import type { BarCount } from "./Preview";
import { createDrawing, graphOf, isUnsaved } from "./store";
import { TopBar } from "./TopBar";
import { previewedOf } from "./values";
import "./builder.css";

const EXAMINE_AFTER_MS = 250;
const EXAMINE_AGAIN_MS = 3000;

export interface BuilderSearch {
  tab: Tab;
  symbol: string;
  bars: BarCount;
}

interface WorkbenchProps {
  opened: Opened;
  catalogue: Catalogue;
  search: BuilderSearch;
  onSearch: (next: Partial<BuilderSearch>) => void;
}

/** A strategy that is open. What came from the server is taken over once: nothing read later replaces what is drawn. */
export function Workbench({ opened, catalogue, search, onSearch }: WorkbenchProps) {
  const { workflow, version, draft } = opened;
  const role = useRole();
  const [bench] = useState<Bench>(() => {
    const newest = baseOf(version);
    const base = draft === null ? newest : { ...newest, version: draft.base_version };
    const store = createDrawing(base, draft === null ? base.graph : readGraph(draft.graph));
    const keeper = new Keeper({ store, shelf: shelfOf(workflow.workflow_id), revision: draft?.revision ?? 0, codeOf });
    if (draft !== null) {
      store.getState().tell("Your draft was opened; undo shows the version below it.");
      if (draft.base_version !== draft.newest_version) {
        const text = `Version ${draft.newest_version} was saved since your draft was begun from version ${draft.base_version}.`;
        store.getState().tell(text, { tone: "warn" });
      }
    }
    return { workflow, catalogue, store, keeper, isReadOnly: !mayEdit(workflow) || !mayTrade(role) };
  });
  useEffect(() => (bench.isReadOnly ? undefined : bench.keeper.start()), [bench]);
  return (
    <BenchContext value={bench}>
      <ReactFlowProvider>
        <Desk search={search} onSearch={onSearch} />
      </ReactFlowProvider>
    </BenchContext>
  );
}

/** The graph as it was when somebody paused. */
function useSettled(): Graph {
  const graph = useDrawing(graphOf);
  const [settled, settle] = useState(graph);
  useEffect(() => {
    const timer = setTimeout(() => settle(graph), EXAMINE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [graph]);
  return settled;
}

/** Has the server look at the graph whenever it has changed, and again where it could not be asked. */
function useExamined(settled: Graph): void {
  const { store } = useBench();
  const isIn = useSessionState().kind === "in";
  const [tries, tryAgain] = useState(0);
  const print = useMemo(() => fingerprint({ ...settled, layout: {} }), [settled]);
  useEffect(() => {
    if (!isIn) return;
    const asking = new AbortController();
    let later: ReturnType<typeof setTimeout> | undefined;
    examine(settled, asking.signal)
      .then((found) => store.getState().found(found))
      .catch((error: unknown) => {
        if (asking.signal.aborted) return;
        if (isPassing(error)) later = setTimeout(() => tryAgain((before) => before + 1), EXAMINE_AGAIN_MS);
        else store.getState().tell(error instanceof Error ? error.message : "the graph was not checked", { tone: "warn" });
      });
    return () => {
      asking.abort();
      clearTimeout(later);
    };
    // places of nodes are no part of what is checked
  }, [print, store, isIn, tries]);
}

const lastTerms: { now: RunTerms } = { now: USUAL_TERMS };

function Desk({ search, onSearch }: Pick<WorkbenchProps, "search" | "onSearch">) {
  const { workflow, catalogue, store, keeper, isReadOnly } = useBench();
  const flow = useReactFlow();
  const field = useRef<HTMLInputElement>(null);
  const first = useRef<HTMLInputElement>(null);
  const place = useRef<[number, number] | null>(null);
  const [isOpen, show] = useState(true);
  const [isAsking, ask] = useState(false);
  const [isBusy, busy] = useState(false);
  const refusal = useDrawing((state) => state.refusal);
  const version = useDrawing((state) => state.base.version);
  const unsaved = useDrawing(isUnsaved);
  const settled = useSettled();
  useExamined(settled);

  const datasets = useDatasets();
  const symbols = useMemo(() => [...new Set((datasets.data ?? []).map((one) => one.symbol))].sort(), [datasets.data]);
  const fitting = (datasets.data ?? []).find((one) => one.timeframe === settled.timeframe)?.symbol;
  const symbol = search.symbol !== "" ? search.symbol : (fitting ?? symbols[0] ?? "");
  const preview = usePreviewed(settled, symbol, search.bars);
  const previewed = useMemo(() => (preview.data === undefined ? null : previewedOf(preview.data)), [preview.data]);

  const deeds = useMemo<KeyDeeds & { arrange: () => void; show: (node: string) => void }>(() => {
    const fit = () => void flow.fitView({ padding: 0.12, maxZoom: 1 });
    // After React has drawn what was just chosen, and before the next key: a timer would let fast keys overtake it.
    const inspect = () => queueMicrotask(() => first.current?.focus());
    return {
      fit,
      inspect,
      search: () => field.current?.focus(),
      run: () => ask(true),
      save: () => {
        if (isReadOnly || !isUnsaved(store.getState())) return;
        busy(true);
        keeper
          .save()
          .then((base) => store.getState().tell(`Saved as version ${base.version}.`))
          .catch((error: unknown) => store.getState().tell(`Not saved: ${error instanceof Error ? error.message : "for a reason nobody gave"}`, { tone: "danger" }))
          .finally(() => busy(false));
      },
      arrange: () => {
        store.getState().change((graph) => arranged(graph, catalogue));
        setTimeout(fit, 50);
      },
      show: (node) => {
        store.getState().select([node]);
        void flow.fitView({ nodes: [{ id: node }], maxZoom: 1, padding: 2 });
        inspect();
      },
    };
  }, [flow, store, keeper, catalogue, isReadOnly]);
  useCanvasKeys(store, deeds, isReadOnly);

  const start = async (terms: RunTerms) => {
    lastTerms.now = terms;
    try {
      await run(keeper, store, terms);
    } catch (error) {
      store.getState().tell(`Not run: ${error instanceof Error ? error.message : "for a reason nobody gave"}`, { tone: "danger" });
    }
    ask(false);
    onSearch({ tab: "log" });
  };
  const runTerms = lastTerms.now.symbols.length > 0 ? lastTerms.now : { ...USUAL_TERMS, symbols: symbol === "" ? [] : [symbol] };

  return (
    <PreviewContext value={previewed}>
      <div className="builder">
        <TopBar save={deeds.save} run={deeds.run} arrange={deeds.arrange} fit={deeds.fit} isBusy={isBusy} />
        <Palette field={field} place={place} onAdded={(id) => setTimeout(() => seen(flow, id), 0)} />
        <div className="builder-canvas">
          <Canvas
            onQuickAdd={(at) => {
              place.current = at;
              field.current?.focus();
            }}
          />
          <p className="refusal" role="status">
            {refusal}
          </p>
        </div>
        <Inspector first={first} />
        <Drawer
          tab={search.tab}
          isOpen={isOpen}
          onTab={(tab) => {
            onSearch({ tab });
            show(true);
          }}
          onToggle={() => show(!isOpen)}
          onJump={deeds.show}
          symbol={symbol}
          symbols={symbols}
          bars={search.bars}
          onSymbol={(next) => onSearch({ symbol: next })}
          onBars={(bars) => onSearch({ bars })}
          failure={preview.error?.message ?? ""}
        />
      </div>
      <ConflictDialog />
      <LeaveDialog path={`/strategies/${workflow.workflow_id}`} />
      {isAsking && (
        <RunDialog
          terms={runTerms}
          symbols={symbols}
          what={unsaved ? `a new version (${version + 1})` : `version ${version}`}
          onRun={start}
          onClose={() => ask(false)}
        />
      )}
    </PreviewContext>
  );
}

/** Move the canvas where a new node would be out of sight. */
function seen(flow: ReturnType<typeof useReactFlow>, id: string): void {
  const node = flow.getNode(id);
  const box = document.querySelector(".builder-canvas")?.getBoundingClientRect();
  if (node === undefined || box === undefined) return;
  const { x, y } = flow.flowToScreenPosition(node.position);
  const isSeen = x > box.left && y > box.top && x + 200 < box.right && y + 120 < box.bottom;
  if (!isSeen) void flow.fitView({ padding: 0.12, maxZoom: 1 });
}

