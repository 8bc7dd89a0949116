/** Finding nodes by what people call them: names first, then what a node tells of itself. */

import type { NodeType } from "./graph";

const HITS_MAX = 40;

export function found(types: readonly NodeType[], sought: string): NodeType[] {
  const words = sought.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const rank = (type: NodeType): number => {
    const name = type.type.toLowerCase();
    const whole = words.join("");
    if (name === whole) return 0;
    if (name.startsWith(whole)) return 1;
    if (name.includes(whole)) return 2;
    const told = `${name} ${type.group.replace(/_/g, " ")} ${type.summary.toLowerCase()}`;
    return words.every((word) => told.includes(word)) ? 3 : -1;
  };
  return types
    .map((type) => ({ type, at: rank(type) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || a.type.type.length - b.type.type.length)
    .slice(0, HITS_MAX)
    .map(({ type }) => type);
}

/** Options by what is typed of their names: the name itself, then its beginning, then any part of what the list says. */
export function called<Option extends { value: unknown; label: string }>(options: readonly Option[], typed: string): Option[] {
  const sought = typed.trim().toLowerCase();
  const rank = ({ value, label }: Option): number => {
    const name = String(value).toLowerCase();
    return name === sought ? 0 : name.startsWith(sought) ? 1 : label.toLowerCase().includes(sought) ? 2 : 3;
  };
  return [0, 1, 2].flatMap((at) => options.filter((each) => rank(each) === at));
}
