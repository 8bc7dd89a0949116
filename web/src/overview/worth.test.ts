import { expect, it } from "vitest";
import type { PortfolioHistoryView, SummaryView } from "../api/schema";
import { courseOf, together, toneOf } from "./worth";

const summary = (currency: string, equity: string, last_equity: string) =>
  ({ currency, equity, last_equity, profit: "1.10", unrealized_pnl: "-0.1", cash: "5" }) as SummaryView;

it("adds what is in one currency, exactly, and counts what is not", () => {
  const found = together([summary("USD", "100.1", "100.0"), summary("USD", "0.2", "0.5"), summary("EUR", "7", "7")], "USD");
  expect(found).toEqual({
    currency: "USD",
    equity: "100.3",
    today: "-0.2",
    profit: "2.20",
    unrealized: "-0.2",
    cash: "10",
    accounts: 2,
    others: 1,
  });
});

const history = (...points: [string, string][]) =>
  ({ timestamps: points.map(([at]) => at), equity: points.map(([, equity]) => equity) }) as PortfolioHistoryView;

it("adds an account from its begin on and leaves out those of another time", () => {
  const first = history(["2026-01-01T00:00:00Z", "10"], ["2026-01-02T00:00:00Z", "11"], ["2026-01-03T00:00:00Z", "12"]);
  const later = history(["2026-01-02T00:00:00Z", "5"]);
  const replay = history(["2004-01-01T00:00:00Z", "100000"]);
  const { points, accounts } = courseOf([first, later, replay]);
  expect(points.map((one) => one.value)).toEqual([10, 16, 17]);
  expect(accounts).toBe(2);
  expect(courseOf([replay, first]).points).toHaveLength(1);
  expect(courseOf([history()])).toEqual({ points: [], accounts: 0 });
});

it("gives no colour to nothing", () => {
  expect([toneOf("0.00"), toneOf("-0.01"), toneOf("3"), toneOf("?")]).toEqual([undefined, "down", "up", undefined]);
});
