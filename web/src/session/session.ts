/** Who is signed in. Tokens are in cookies no script can read; what is kept here is who it is and the token of changes. */

import { useSyncExternalStore } from "react";
import type { BrowserSession } from "../api/schema";

export type SessionState =
  | { kind: "unknown" }
  | { kind: "out" }
  | { kind: "in"; session: BrowserSession }
  /** It ended while its pages are open: what is typed there stays until the same person signs in again. */
  | { kind: "expired"; session: BrowserSession };

let state: SessionState = { kind: "unknown" };
const listeners = new Set<() => void>();

function become(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

export function sessionState(): SessionState {
  return state;
}

export function csrfToken(): string | null {
  return state.kind === "in" ? state.session.csrf_token : null;
}

export function signedIn(session: BrowserSession): void {
  become({ kind: "in", session });
}

export function signedOut(): void {
  become({ kind: "out" });
}

export function expired(): void {
  become(state.kind === "in" || state.kind === "expired" ? { kind: "expired", session: state.session } : { kind: "out" });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSessionState(): SessionState {
  return useSyncExternalStore(subscribe, sessionState);
}

/** What a role may do here; the server decides, this only keeps buttons from promising what it refuses. */
export function mayTrade(role: string): boolean {
  return role !== "viewer";
}

export function mayAdminister(role: string): boolean {
  return role === "owner" || role === "operator";
}

export function useRole(): string {
  const found = useSessionState();
  return found.kind === "in" || found.kind === "expired" ? found.session.role : "";
}
