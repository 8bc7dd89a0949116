import { useState } from "react";
import type { Column } from "./columns";

type Shown = Record<string, boolean>;

/** Which columns are shown: what was chosen in this browser over what is usual. Anything else that is kept is not ours. */
export function shownColumns(columns: readonly Pick<Column<never>, "id" | "isHidden">[], kept: string | null): Shown {
  let chosen: unknown = null;
  try {
    chosen = JSON.parse(kept ?? "null");
  } catch {
    // what cannot be read was not kept by us
  }
  const found = typeof chosen === "object" && chosen !== null ? (chosen as Record<string, unknown>) : {};
  return Object.fromEntries(
    columns.map(({ id, isHidden }) => [id, typeof found[id] === "boolean" ? found[id] : isHidden !== true]),
  );
}

export function useKeptColumns<R>(slug: string, columns: readonly Column<R>[]): [Shown, (id: string, isShown: boolean) => void] {
  const key = `alphintra.columns.${slug}`;
  const [kept, keep] = useState(() => localStorage.getItem(key));
  const shown = shownColumns(columns, kept);
  const show = (id: string, isShown: boolean) => {
    const next = { ...shown, [id]: isShown };
    if (!Object.values(next).some(Boolean)) return; // a table without columns has no way back
    localStorage.setItem(key, JSON.stringify(next));
    keep(JSON.stringify(next));
  };
  return [shown, show];
}
