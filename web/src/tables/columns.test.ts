import { expect, it } from "vitest";
import { type Column, compareCells, csv, csvCell, filtered, sums } from "./columns";

interface Order {
  symbol: string;
  quantity: string;
  note: string | null;
}

const ORDERS: Order[] = [
  { symbol: "AAPL", quantity: "10", note: null },
  { symbol: "MSFT", quantity: "9.5", note: "Too small" },
  { symbol: "A10", quantity: "0.1", note: "x" },
  { symbol: "A9", quantity: "-0.30", note: "y" },
];
const COLUMNS: Column<Order>[] = [
  { id: "symbol", head: "Symbol", value: (row) => row.symbol },
  { id: "quantity", head: "Quantity", value: (row) => row.quantity, isNumeric: true, isSummed: true },
  { id: "note", head: "Note", value: (row) => row.note },
];

it("orders decimal text by value and words as people count", () => {
  expect(ORDERS.map((row) => row.quantity).sort(compareCells)).toEqual(["-0.30", "0.1", "9.5", "10"]);
  expect(ORDERS.map((row) => row.symbol).sort(compareCells)).toEqual(["A9", "A10", "AAPL", "MSFT"]);
  expect([3, 20, 1].sort(compareCells)).toEqual([1, 3, 20]);
  expect(compareCells("9007199254740993", "9007199254740992")).toBe(1);
});

it("finds rows in which every word stands, in any column and case", () => {
  expect(filtered(ORDERS, COLUMNS, "small msft")).toEqual([ORDERS[1]]);
  expect(filtered(ORDERS, COLUMNS, "  ")).toBe(ORDERS);
  expect(filtered(ORDERS, COLUMNS, "msft zzz")).toEqual([]);
});

it("sums exactly what is summed", () => {
  expect(sums(ORDERS.slice(1), COLUMNS).map(([column, sum]) => [column.id, sum])).toEqual([["quantity", "9.30"]]);
});

it.each([
  ["=1+1", "'=1+1"],
  ["+cmd", "'+cmd"],
  ["-cmd", "'-cmd"],
  ["@SUM(A1)", "'@SUM(A1)"],
  [" =1", "' =1"],
  ["\t=1", "'\t=1"],
  ["-12.5", "-12.5"],
  [-3, "-3"],
  ['say "no"', '"say ""no"""'],
  ["a,b", '"a,b"'],
  ["two\nlines", '"two\nlines"'],
  ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
  [null, ""],
])("writes %j as %j", (value, written) => {
  expect(csvCell(value)).toBe(written);
});

it("writes heads and rows with line ends of the standard", () => {
  expect(csv(ORDERS.slice(0, 2), COLUMNS)).toBe("Symbol,Quantity,Note\r\nAAPL,10,\r\nMSFT,9.5,Too small\r\n");
});
