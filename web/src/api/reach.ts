/** Whether the platform can be reached from here at all. */

import { useSyncExternalStore } from "react";
import { useHealth } from "./health";
import { Unreachable } from "./problems";

function subscribe(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

/** Why nothing can be sent at present, for buttons that are disabled by it; empty while the platform answers. */
export function useOffline(): string {
  const hasNetwork = useSyncExternalStore(subscribe, () => navigator.onLine);
  const { error } = useHealth();
  if (!hasNetwork) return "This device is offline";
  return error instanceof Unreachable ? "The platform does not answer" : "";
}
