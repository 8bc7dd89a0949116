import { expect, it } from "vitest";
import { nextOrder, orderOf } from "./sorting";

it("reads the order of the address", () => {
  expect([orderOf(""), orderOf("symbol"), orderOf("-pnl")]).toEqual([
    [],
    [{ id: "symbol", desc: false }],
    [{ id: "pnl", desc: true }],
  ]);
});

it("goes first way, other way, none", () => {
  expect([nextOrder("", "pnl", true), nextOrder("-pnl", "pnl", true), nextOrder("pnl", "pnl", true)]).toEqual(["-pnl", "pnl", ""]);
  expect([nextOrder("-pnl", "symbol", false), nextOrder("symbol", "symbol", false), nextOrder("-symbol", "symbol", false)]).toEqual([
    "symbol",
    "-symbol",
    "",
  ]);
});
