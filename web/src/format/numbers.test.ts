import { describe, expect, it } from "vitest";
import { compact, count, decimal, digitsOf, money, percent, price, profit, quantity, ratio, tone } from "./numbers";

describe("amounts", () => {
  it.each([
    ["0", "0.00"],
    ["-0.00", "0.00"],
    ["-0.004", "0.00"],
    ["0.005", "0.01"],
    ["-0.005", "\u22120.01"],
    ["999.995", "1,000.00"],
    ["1234567.891", "1,234,567.89"],
    ["-1234567.8", "\u22121,234,567.80"],
    ["000123", "123.00"],
    ["9007199254740993.01", "9,007,199,254,740,993.01"],
  ])("%s as money is %s", (text, shown) => expect(money(text)).toBe(shown));

  it.each(["", "NaN", "Infinity", "1e5", "--1", "1.", ".5", null, undefined])("%s is not applicable", (text) =>
    expect(decimal(text)).toBe("\u2014"),
  );

  it("has a plus on profits alone, and none on zero", () => {
    expect(profit("12.5")).toBe("+12.50");
    expect(profit("-12.5")).toBe("\u221212.50");
    expect(profit("0.000")).toBe("0.00");
    expect(money("12.5")).toBe("12.50");
  });

  it("keeps the digits a quantity has and no zeros behind them", () => {
    expect(quantity("1500.2500")).toBe("1,500.25");
    expect(quantity("100.000000000")).toBe("100");
    expect(quantity("0.00000001")).toBe("0.00000001");
  });

  it("shows prices by the tick, or at least two digits", () => {
    expect(price("187.2")).toBe("187.20");
    expect(price("0.12345")).toBe("0.12345");
    expect(price("187.2345", "0.01")).toBe("187.23");
    expect(price("50000", "1")).toBe("50,000");
    expect(digitsOf("0.0100")).toBe(2);
    expect(digitsOf("5")).toBe(0);
  });

  it("agrees with integers on every sum of cents", () => {
    for (let cents = -100_500; cents <= 100_500; cents += 37) {
      const text = `${cents < 0 ? "-" : ""}${Math.trunc(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, "0")}`;
      expect(Number(money(text).replaceAll(",", "").replace("\u2212", "-")) * 100).toBeCloseTo(cents, 6);
    }
  });
});

describe("statistics", () => {
  it("writes shares as percent, from floats and from text alike", () => {
    expect(percent(0.12345)).toBe("12.35 %");
    expect(percent("0.12345")).toBe("12.35 %");
    expect(percent("-0.5", { isSigned: true })).toBe("\u221250.00 %");
    expect(percent(0.5, { digits: 0, isSigned: true })).toBe("+50 %");
    expect(percent("12")).toBe("1,200.00 %");
    expect(percent(Number.NaN)).toBe("\u2014");
    expect(percent(-0.00001)).toBe("0.00 %");
  });

  it("says why a ratio has no value", () => {
    expect(ratio(1.005)).toBe("1.00");
    expect(ratio(-1.5)).toBe("\u22121.50");
    expect(ratio(Number.POSITIVE_INFINITY, "no losing trade")).toBe("n/a (no losing trade)");
    expect(ratio(null)).toBe("\u2014");
  });

  it("knows the direction, which zero has not", () => {
    expect([tone("0.01"), tone("-3"), tone("0.000"), tone("-0"), tone(null), tone(-1e-9), tone(0)]).toEqual([
      "up",
      "down",
      "none",
      "none",
      "none",
      "down",
      "none",
    ]);
  });

  it("counts and shortens", () => {
    expect(count(1_234_567)).toBe("1,234,567");
    expect(compact(1_234_567)).toBe("1.23 M");
    expect(compact(-12_000)).toBe("\u221212 k");
    expect(compact(999)).toBe("999");
  });
});
