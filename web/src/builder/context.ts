import { createContext, useContext, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import type { WorkflowView } from "../api/schema";
import type { Catalogue } from "./graph";
import type { DraftState, Keeper } from "./keeping";
import type { Drawing, DrawingStore } from "./store";
import type { Previewed } from "./values";

/** What the parts of the builder share. */
export interface Bench {
  workflow: WorkflowView;
  catalogue: Catalogue;
  store: DrawingStore;
  keeper: Keeper;
  isReadOnly: boolean;
}

export const BenchContext = createContext<Bench | null>(null);
export const PreviewContext = createContext<Previewed | null>(null);

export function useBench(): Bench {
  const bench = useContext(BenchContext);
  if (bench === null) throw new Error("there is no builder around this");
  return bench;
}

export function useDrawing<T>(choose: (state: Drawing) => T): T {
  return useStore(useBench().store, choose);
}

export function useDraftState(): DraftState {
  const { keeper } = useBench();
  return useSyncExternalStore(keeper.subscribe, keeper.state);
}
