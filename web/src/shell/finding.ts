/** What the palette finds, and in which order. */

export interface Found {
  /** What kind of thing it is: its group in the list. */
  group: string;
  label: string;
  /** Further words it is found by. */
  words?: string;
  /** What is shown beside it. */
  hint?: string;
  run: () => void;
}

const SHOWN_MAX = 30;

/** How well a thing fits; null where it does not. Smaller is better. */
export function fit({ label, words = "", group }: Pick<Found, "label" | "words" | "group">, query: string): number | null {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return 0;
  const name = label.toLowerCase();
  if (name.startsWith(wanted)) return 0;
  if (name.split(/[\s/(-]+/).some((word) => word.startsWith(wanted))) return 1;
  const all = `${name} ${words} ${group}`.toLowerCase();
  return wanted.split(/\s+/).every((word) => all.includes(word)) ? 2 : null;
}

/** The things that fit, best first; among equals those that were given first. */
export function fitting(things: readonly Found[], query: string): Found[] {
  return things
    .map((thing) => ({ thing, rank: fit(thing, query) }))
    .filter((one): one is { thing: Found; rank: number } => one.rank !== null)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, SHOWN_MAX)
    .map(({ thing }) => thing);
}
