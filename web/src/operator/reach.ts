/** What the cells of the access map say, and how: a mark, a word, a colour; never the colour alone. */

import type { AccessCellView, AccessView, Reach } from "../api/schema";

export interface Mark {
  mark: string;
  word: string;
  tone: "own" | "quiet" | "warn" | "danger";
}

export const MARKS: Readonly<Record<Reach, Mark>> = {
  own: { mark: "●", word: "its own: reads and writes", tone: "own" },
  denied: { mark: "○", word: "denied, proven by a probe", tone: "quiet" },
  shared: { mark: "◐", word: "one role by this layout: nothing lies between them", tone: "warn" },
  reachable: { mark: "!", word: "reachable, but should not be", tone: "danger" },
  unproven: { mark: "?", word: "tried, proves nothing", tone: "warn" },
  unprobed: { mark: "?", word: "not probed", tone: "quiet" },
};

export const LEGEND: readonly Reach[] = ["own", "denied", "reachable", "unprobed"];

/** The services in the order in which they were told. */
export function servicesOf(access: AccessView): string[] {
  return [...new Set(access.cells.map((cell) => cell.user))];
}

/** What every cell is called in the address: who, and whose data. */
export function cellKey({ user, target }: Pick<AccessCellView, "user" | "target">): string {
  return `${user}.${target}`;
}

/** What of the legend is needed: the four of old, and what there is beside them. */
export function legendOf(access: AccessView): readonly Reach[] {
  const found = new Set(access.cells.map((cell) => cell.reach));
  const more = (Object.keys(MARKS) as Reach[]).filter((reach) => found.has(reach) && !LEGEND.includes(reach));
  return [...LEGEND, ...more];
}

/** The borders that are broken, in words: `notification reaches risk`. */
export function breachesOf(access: AccessView): string[] {
  return access.cells.filter((cell) => cell.reach === "reachable").map((cell) => `${cell.user} reaches ${cell.target}`);
}
