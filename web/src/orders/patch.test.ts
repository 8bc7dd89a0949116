import { describe, expect, it } from "vitest";
import type { OrderView } from "../api/schema";
import { patched } from "./patch";
import { isWorking, stageOf, whyNotAmend, whyNotCancel } from "./states";

const order = (id: string, version: number, status = "new") => ({ order_id: id, version, status, legs: [] }) as unknown as OrderView;
const ids = (orders: readonly OrderView[]) => orders.map((one) => `${one.order_id}${one.version}${one.status}`);

describe("an order told by the stream", () => {
  it("takes the place of what was known of it", () => {
    expect(ids(patched([order("a", 1), order("b", 1)], order("b", 2, "partially_filled"), "working"))).toEqual(["a1new", "b2partially_filled"]);
  });

  it("leaves the working ones once it is closed, and stays among all", () => {
    expect(ids(patched([order("a", 1), order("b", 1)], order("a", 2, "filled"), "working"))).toEqual(["b1new"]);
    expect(ids(patched([order("a", 1)], order("a", 2, "filled"), "all"))).toEqual(["a2filled"]);
  });

  it("comes first where it is new, unless it does not belong", () => {
    expect(ids(patched([order("a", 1)], order("b", 1, "pending_new"), "working"))).toEqual(["b1pending_new", "a1new"]);
    expect(ids(patched([order("a", 1)], order("b", 1, "denied"), "working"))).toEqual(["a1new"]);
    expect(ids(patched([order("a", 1)], order("b", 1, "denied"), "all"))).toEqual(["b1denied", "a1new"]);
  });

  it("changes nothing where it is late or said twice", () => {
    const before = [order("a", 3, "filled")];
    expect(patched(before, order("a", 2, "new"), "all")).toBe(before);
    expect(patched(before, order("a", 3, "filled"), "all")).toBe(before);
  });
});

describe("the states of an order", () => {
  it("keep sent, acknowledged and filled apart", () => {
    expect(["pending_new", "new", "filled"].map(stageOf)).toEqual(["pending", "working", "filled"]);
    expect(["pending_new", "unknown", "filled", "denied"].map(isWorking)).toEqual([true, true, false, false]);
    expect(stageOf("something new")).toBe("unclear");
  });

  it("say why something cannot be done", () => {
    expect([whyNotCancel("new"), whyNotCancel("unknown")]).toEqual(["", ""]);
    expect(whyNotCancel("filled")).toContain("filled");
    expect(whyNotCancel("pending_cancel")).toContain("on the way");
    expect(whyNotAmend({ status: "new", order_class: "simple" })).toBe("");
    expect(whyNotAmend({ status: "new", order_class: "bracket" })).toContain("group");
    expect(whyNotAmend({ status: "pending_new", order_class: "simple" })).toContain("acknowledged");
  });
});
