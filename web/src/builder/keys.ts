import { useEffect } from "react";
import { copied, pasted, readPiece, written } from "./clipboard";
import { withoutNodes, withoutWires } from "./editing";
import { wireKey } from "./graph";
import { type DrawingStore, graphOf } from "./store";

export interface KeyDeeds {
  save: () => void;
  run: () => void;
  fit: () => void;
  search: () => void;
  inspect: () => void;
}

/** Whether keys belong to a field or a dialog, not to the canvas. */
function isElsewhere(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=listbox], [role=menu], pre") !== null;
}

export function removeChosen(store: DrawingStore): void {
  const { nodes, wires, change, select } = store.getState();
  if (nodes.size + wires.size === 0) return;
  change((graph) => withoutNodes(withoutWires(graph, wires), nodes));
  select([]);
}

/** What the keyboard does on the canvas. */
export function useCanvasKeys(store: DrawingStore, deeds: KeyDeeds, isReadOnly: boolean): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isCtrl = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      const { undo, redo, select, change } = store.getState();
      const act = (deed: () => void) => {
        event.preventDefault();
        deed();
      };
      if (document.querySelector("[role=dialog]") !== null) return;
      if (isCtrl && key === "s") return act(deeds.save);
      if (isCtrl && key === "enter") return act(deeds.run);
      if (event.key === "F2") return act(deeds.inspect);
      if (event.key === "Escape" && event.target instanceof HTMLInputElement) return event.target.blur();
      if (isElsewhere(event.target)) return;
      if (!isCtrl && key === "/") return act(deeds.search);
      if (!isCtrl && key === "f") return act(deeds.fit);
      if (!isCtrl && event.key === "Escape") return select([]);
      if (isCtrl && key === "a") {
        const graph = graphOf(store.getState());
        return act(() => select(graph.nodes.map((node) => node.id), graph.edges.map(wireKey)));
      }
      if (isReadOnly) return;
      if (isCtrl && key === "z") return act(event.shiftKey ? redo : undo);
      if (isCtrl && key === "y") return act(redo);
      if (isCtrl && key === "d") {
        const [next, made] = pasted(graphOf(store.getState()), copied(graphOf(store.getState()), store.getState().nodes));
        return act(() => {
          change(() => next);
          select(made);
        });
      }
      if (event.key === "Delete" || event.key === "Backspace") return act(() => removeChosen(store));
    };
    const onCopy = (event: ClipboardEvent) => {
      const { nodes } = store.getState();
      if (isElsewhere(event.target) || nodes.size === 0 || (window.getSelection()?.toString() ?? "") !== "") return;
      event.clipboardData?.setData("text/plain", written(copied(graphOf(store.getState()), nodes)));
      event.preventDefault();
      if (event.type === "cut" && !isReadOnly) removeChosen(store);
    };
    const onPaste = (event: ClipboardEvent) => {
      if (isElsewhere(event.target) || isReadOnly) return;
      const piece = readPiece(event.clipboardData?.getData("text/plain") ?? "");
      if (piece === null) return;
      event.preventDefault();
      const [next, made] = pasted(graphOf(store.getState()), piece);
      store.getState().change(() => next);
      store.getState().select(made);
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener("copy", onCopy);
    window.addEventListener("cut", onCopy);
    window.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("copy", onCopy);
      window.removeEventListener("cut", onCopy);
      window.removeEventListener("paste", onPaste);
    };
  }, [store, deeds, isReadOnly]);
}
