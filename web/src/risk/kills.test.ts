import { expect, it } from "vitest";
import type { KillStateView } from "../api/schema";
import { bodyOf, keyOf, scopeOf } from "./kills";

const kill = (fields: Partial<KillStateView>): KillStateView =>
  ({ scope: "firm", account_id: null, owner_id: null, book_id: null, venue: null, symbol: null, state: "halted", epoch: 1, reason: "", set_by: "", set_at: "", ...fields }) as KillStateView;

it("names what each scope is for, and nothing else", () => {
  expect(bodyOf("firm", "ignored")).toEqual({ scope: "firm", account_id: null, owner_id: null, book_id: null, venue: null, symbol: null });
  expect(bodyOf("symbol", "AAPL")).toMatchObject({ scope: "symbol", symbol: "AAPL", venue: null });
});

it("releases what was engaged: the key comes back from a state", () => {
  for (const [scope, field] of [["account", "account_id"], ["user", "owner_id"], ["strategy", "book_id"], ["venue", "venue"], ["symbol", "symbol"]] as const) {
    const found = kill({ scope, [field]: "KEY" });
    expect(bodyOf(scope, keyOf(found))).toMatchObject({ [field]: "KEY" });
  }
});

it("a strategy's block is told as the strategy's, though its account is named with it", () => {
  expect(scopeOf(kill({ scope: "strategy", account_id: "a", book_id: "1234567890" }), () => "main")).toBe("Strategy 567890");
  expect(scopeOf(kill({ scope: "account", account_id: "a" }), () => "main")).toBe("Account main");
  expect(scopeOf(kill({}), () => "")).toBe("Everything");
});
