/** What is held, added up by symbol and by strategy: pure, on decimal text. */

import type { PositionView } from "../api/schema";
import { sumOf } from "../format/decimals";

export interface Exposure {
  name: string;
  value: string;
  unrealized: string;
  /** Of the account's worth; null where that is zero or unknown. */
  share: number | null;
}

export function isHeld(position: Pick<PositionView, "qty">): boolean {
  return !/^-?0*(\.0*)?$/.test(position.qty);
}

/** Open positions added up by a name, the largest first. What has no price yet is left out. */
export function exposures(positions: readonly PositionView[], nameOf: (one: PositionView) => string, equity: string): Exposure[] {
  const groups = new Map<string, PositionView[]>();
  for (const one of positions) {
    if (!isHeld(one) || one.market_value == null) continue;
    groups.set(nameOf(one), [...(groups.get(nameOf(one)) ?? []), one]);
  }
  const whole = Number(equity);
  return [...groups]
    .map(([name, held]) => {
      const value = sumOf(held.map((one) => one.market_value ?? "0"));
      const unrealized = sumOf(held.map((one) => one.unrealized_pnl ?? "0"));
      return { name, value, unrealized, share: whole > 0 ? Number(value) / whole : null };
    })
    .sort((a, b) => Math.abs(Number(b.value)) - Math.abs(Number(a.value)));
}
