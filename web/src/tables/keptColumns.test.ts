import { expect, it } from "vitest";
import { shownColumns } from "./keptColumns";

const COLUMNS = [{ id: "time" }, { id: "reason", isHidden: true }, { id: "symbol" }];

it("shows what is usual until something was chosen", () => {
  expect(shownColumns(COLUMNS, null)).toEqual({ time: true, reason: false, symbol: true });
  expect(shownColumns(COLUMNS, '{"time":false,"reason":true,"gone":true}')).toEqual({ time: false, reason: true, symbol: true });
});

it.each(["", "7", "null", "[]", '{"time":"no"}', "{"])("bears %j", (kept) => {
  expect(shownColumns(COLUMNS, kept)).toEqual({ time: true, reason: false, symbol: true });
});
