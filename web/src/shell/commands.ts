/** What the header, its keys and the palette can open; one at a time. */

import { useSyncExternalStore } from "react";

export type Opened = "none" | "palette" | "stop" | "keys";

let opened: Opened = "none";
const listeners = new Set<() => void>();

export function open(next: Opened): void {
  opened = next;
  for (const listener of listeners) listener();
}

export function close(): void {
  open("none");
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useOpened(): Opened {
  return useSyncExternalStore(subscribe, () => opened);
}
