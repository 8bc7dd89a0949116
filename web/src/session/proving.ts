/** Proving again who one is: what cannot wait for it asks here, one dialog answers for all. */

import { useSyncExternalStore } from "react";

let waiting: ((isProven: boolean) => void)[] = [];
const listeners = new Set<() => void>();

function told(): void {
  for (const listener of listeners) listener();
}

/** Ask the person to prove who they are. Resolves once they have, or have turned it down. */
export function proveAgain(): Promise<boolean> {
  return new Promise((resolve) => {
    waiting = [...waiting, resolve];
    told();
  });
}

/** Tell all who wait. */
export function proved(isProven: boolean): void {
  const answered = waiting;
  waiting = [];
  told();
  for (const resolve of answered) resolve(isProven);
}

/** Whether somebody waits for a proof. */
export function useIsProofAsked(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting.length > 0,
  );
}
