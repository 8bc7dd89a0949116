import { describe, expect, it } from "vitest";
import type { OrderView } from "../api/schema";
import { hear, readWithTold } from "./told";

const order = (version: number, status: string, accountId = "mine") =>
  ({ order_id: "o-1", account_id: accountId, version, status, legs: [] }) as unknown as OrderView;

describe("a list of orders that was asked for before one came", () => {
  it("has it all the same", async () => {
    const read = readWithTold(() => Promise.resolve([]), "mine", "all");
    hear(order(1, "denied"));
    hear(order(1, "denied", "another's"));
    expect(await read).toEqual([order(1, "denied")]);
  });

  it("loses one that ended meanwhile", async () => {
    const read = readWithTold(() => Promise.resolve([order(2, "acknowledged")]), "mine", "working");
    hear(order(3, "filled"));
    expect(await read).toEqual([]);
  });

  it("forgets what was told before it was asked for", async () => {
    hear(order(1, "denied"));
    expect(await readWithTold(() => Promise.resolve([]), "mine", "all")).toEqual([]);
  });
});
