import { describe, expect, it } from "vitest";
import { histogram, isPending, monthly, tradeReturns, type Trade } from "./result";

const DAY = (text: string) => new Date(`${text}T00:00:00Z`).getTime() / 86_400_000;

describe("months", () => {
  it("compound to their year, and each begins where the one before ended", () => {
    const days = ["2020-01-15", "2020-01-31", "2020-03-31", "2021-01-29"].map(DAY);
    const [first, second] = monthly(days, [100, 110, 121, 60.5]);
    expect(first?.months[0]).toBeCloseTo(0.1);
    expect(first?.months[1]).toBeNull();
    expect(first?.months[2]).toBeCloseTo(0.1);
    expect(first?.whole).toBeCloseTo(0.21);
    expect([second?.year, second?.months[0], second?.whole]).toEqual([2021, -0.5, -0.5]);
  });

  it("are none without days", () => expect(monthly([], [])).toEqual([]));
});

describe("a distribution", () => {
  it("counts every value once, the largest too", () => {
    const bins = histogram([-1, -0.2, 0, 0.2, 1], 5);
    expect(bins.map((bin) => bin.count)).toEqual([1, 0, 3, 0, 1]);
    expect(bins[2]?.from).toBeCloseTo(-0.2);
  });

  it("is none of nothing", () => expect([histogram([]), histogram([0, 0])]).toEqual([[], []]));
});

it("a trade's return is of what it was opened with", () =>
  expect(tradeReturns([{ net: "-50", entry_price: "10", qty: "100" }, { net: "1", entry_price: "0", qty: "1" }] as Trade[])).toEqual([
    -0.05,
  ]));

it("only what waits or runs is pending", () =>
  expect(["queued", "running", "finished", "failed", "canceled"].map((status) => isPending({ status }))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]));
