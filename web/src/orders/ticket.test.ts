import { describe, expect, it } from "vitest";
import { BLANK, bodyOf, lacking, newOrderId, type Ticket } from "./ticket";

const ticket = (more: Partial<Ticket>): Ticket => ({ ...BLANK, symbol: "AAPL", qty: "5", ...more });

describe("a ticket", () => {
  it("says what it lacks, one thing after the other", () => {
    expect(lacking(BLANK)).toContain("symbol");
    for (const qty of ["", "0", "-1", "x", "1e3", "0.000"]) expect(lacking(ticket({ type: "market", qty }))).toContain("how many");
    expect(lacking(ticket({}))).toContain("limit price");
    expect(lacking(ticket({ type: "stop_limit", limit: "9" }))).toContain("stop price");
    expect(lacking(ticket({ type: "trailing_stop" }))).toContain("trail");
    expect(lacking(ticket({ type: "market" }))).toBe("");
  });

  it("sends only what its type asks for, as it was typed", () => {
    const typed = { limit: "10.50", stop: "9", trail: "2" };
    const body = (type: Ticket["type"]) => bodyOf(ticket({ type, ...typed, qty: " 0.1 " }), "a", "c");
    expect([body("market").limit_price, body("market").stop_price, body("market").trail_percent]).toEqual([null, null, null]);
    expect([body("limit").limit_price, body("limit").stop_price]).toEqual(["10.50", null]);
    expect([body("stop_limit").limit_price, body("stop_limit").stop_price]).toEqual(["10.50", "9"]);
    expect(body("trailing_stop").trail_percent).toBe("2");
    expect(body("limit").qty).toBe("0.1");
  });

  it("has an id of its own", () => {
    expect(newOrderId()).toMatch(/^web-[0-9a-f]{24}$/);
    expect(newOrderId()).not.toBe(newOrderId());
  });
});
