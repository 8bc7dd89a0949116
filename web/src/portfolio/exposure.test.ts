import { describe, expect, it } from "vitest";
import type { PositionView } from "../api/schema";
import { exposures, isHeld } from "./exposure";

const held = (symbol: string, qty: string, market_value: string | null, unrealized_pnl = "0") =>
  ({ symbol, qty, market_value, unrealized_pnl, book_id: null }) as unknown as PositionView;

describe("exposure", () => {
  it("adds up exactly by name, the largest first, with its share of the worth", () => {
    const found = exposures([held("A", "1", "0.1", "0.1"), held("B", "-2", "-50", "-1"), held("A", "1", "0.2", "0.2")], (one) => one.symbol, "100");
    expect(found).toEqual([
      { name: "B", value: "-50", unrealized: "-1", share: -0.5 },
      { name: "A", value: "0.3", unrealized: "0.3", share: 0.003 },
    ]);
  });

  it("leaves out what is flat or has no price, and shares of nothing", () => {
    expect(exposures([held("A", "0.000", "0"), held("B", "1", null)], (one) => one.symbol, "100")).toEqual([]);
    expect(exposures([held("A", "1", "5")], (one) => one.symbol, "0")[0]?.share).toBeNull();
    expect(["0", "-0.0", "0.1", "-3"].map((qty) => isHeld({ qty }))).toEqual([false, false, true, true]);
  });
});
