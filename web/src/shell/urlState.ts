import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

/**
 * State that lives in the address: filters, tabs, ranges. What is as usual is left out of it.
 *
 * @param read turns what stands there, which may be anything, into a value or into null.
 */
export function useUrlState<T extends string | number | boolean>(
  key: string,
  usual: T,
  read: (found: unknown) => T | null,
): [T, (next: T) => void] {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const found = search[key];
  const value = found === undefined ? usual : (read(found) ?? usual);
  const change = useCallback(
    (next: T) => {
      const search = (old: Record<string, unknown>) => ({ ...old, [key]: next === usual ? undefined : next });
      void navigate({ to: ".", search, replace: true, resetScroll: false } as never);
    },
    [navigate, key, usual],
  );
  return [value, change];
}

/** Text in the address. A number there is text somebody wrote by hand. */
export function useUrlText(key: string, usual = ""): [string, (next: string) => void] {
  return useUrlState(key, usual, textOf);
}

/** One of a few in the address; anything else there is the usual. */
export function useUrlChoice<V extends string>(key: string, choices: readonly V[], usual: V): [V, (next: V) => void] {
  const [found, change] = useUrlState<string>(key, usual, textOf);
  return [choices.find((one) => one === found) ?? usual, change];
}

export function textOf(found: unknown): string | null {
  return typeof found === "string" || typeof found === "number" ? String(found) : null;
}
