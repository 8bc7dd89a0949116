import { expect, test } from "vitest";
import type { AccessCellView, AccessView, Reach } from "../api/schema";
import { breachesOf, cellKey, legendOf, MARKS, servicesOf } from "./reach";

function cell(user: string, target: string, reach: Reach): AccessCellView {
  return { user, target, reach, role: `${user}_service_user`, instance: "main", database: `alphintra_${target}`, tries: [], grants: [] };
}

function access(...cells: AccessCellView[]): AccessView {
  return { at: null, asked_by: "", took_s: 0, next_at: null, breaches: 0, cells, drift: [], limits: [], problem: "" };
}

const BROKEN = access(cell("risk", "risk", "own"), cell("risk", "user", "reachable"), cell("user", "risk", "denied"));

test("a broken border is told with who reaches whose data", () => {
  expect(breachesOf(BROKEN)).toEqual(["risk reaches user"]);
  expect(breachesOf(access(cell("user", "risk", "unproven"), cell("user", "auth", "shared")))).toEqual([]);
});

test("services stand once each in the order told", () => {
  expect(servicesOf(BROKEN)).toEqual(["risk", "user"]);
});

test("a cell is named by who and whose, in this order", () => {
  expect(cellKey(cell("user", "risk", "denied"))).toBe("user.risk");
});

test("the legend has the usual four, and what else there is", () => {
  expect(legendOf(BROKEN)).toEqual(["own", "denied", "reachable", "unprobed"]);
  expect(legendOf(access(cell("a", "b", "shared")))).toEqual(["own", "denied", "reachable", "unprobed", "shared"]);
});

test("only what is broken looks dangerous, and what was not probed never looks proven", () => {
  const dangerous = (Object.keys(MARKS) as Reach[]).filter((reach) => MARKS[reach].tone === "danger");
  expect(dangerous).toEqual(["reachable"]);
  expect(MARKS.unprobed.mark).not.toBe(MARKS.denied.mark);
});
