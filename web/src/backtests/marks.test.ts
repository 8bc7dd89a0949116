import { expect, it } from "vitest";
import type { BarCourseView } from "../api/schema";
import { marksOf, openingOf, placeOf, tradeOf } from "./marks";
import type { Fill, Trade } from "./result";

const iso = (s: number) => new Date(s * 1000).toISOString();
const fill = (ts: number, side: "buy" | "sell", symbol?: string) => ({ ts: iso(ts), side, ...(symbol ? { symbol } : {}) }) as Fill;
const trade = (from: number, to: number, side: "buy" | "sell") =>
  ({ opened_ts: iso(from), closed_ts: iso(to), side, bars: to - from }) as Trade;
const BARS = { symbol: "A", closed_s: [20, 40, 60] } as BarCourseView;

it("a fill stands on the bar that closes then or later, none before the first bar or after the last", () =>
  expect(marksOf([fill(20, "buy"), fill(21, "sell"), fill(60, "buy"), fill(61, "sell"), fill(5, "buy")], BARS, true)).toEqual([
    { id: "0", at: 20, side: "buy" },
    { id: "1", at: 40, side: "sell" },
    { id: "2", at: 60, side: "buy" },
  ]));

it("of several symbols only those of the one that is drawn", () =>
  expect(marksOf([fill(20, "buy", "A"), fill(20, "buy", "B")], BARS, false).map((one) => one.id)).toEqual(["0"]));

it("a fill that closes one trade where the next begins belongs by its side", () => {
  const trades = [trade(10, 20, "buy"), trade(20, 30, "sell")];
  expect([fill(10, "buy"), fill(20, "sell"), fill(30, "buy"), fill(99, "buy")].map((one) => tradeOf(one, trades))).toEqual([0, 0, 1, -1]);
  expect(openingOf(trades[1], [fill(10, "buy"), fill(20, "sell")])).toBe("1");
  expect(openingOf(undefined, [])).toBeNull();
});

it("finds places in sorted numbers", () => expect([0, 20, 21, 99].map((one) => placeOf([20, 40], one))).toEqual([0, 0, 1, 2]));
