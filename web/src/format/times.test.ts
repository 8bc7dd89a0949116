import { describe, expect, it } from "vitest";
import { ago, clock, day, local, moment, span } from "./times";

const AT = "2026-11-22T16:41:03.987654Z";

describe("times", () => {
  it("are UTC in ISO, whatever zone they came in", () => {
    expect(moment(AT)).toBe("2026-11-22 16:41:03Z");
    expect(moment("2026-11-22T17:41:03+01:00")).toBe("2026-11-22 16:41:03Z");
    expect(day("2026-11-22T23:30:00-05:00")).toBe("2026-11-23");
    expect(clock(new Date(AT))).toBe("16:41:03Z");
  });

  it("are not applicable where there is none", () => {
    expect([moment(null), moment("soon"), day(undefined), ago("", 0), local(null)]).toEqual(Array(5).fill("\u2014"));
  });

  it("name the reader's zone", () => expect(local(AT, "America/New_York")).toMatch(/11:41:03.*(GMT-5|EST)/));

  it.each([
    [0, "0 ms ago"],
    [999, "999 ms ago"],
    [12_000, "12 s ago"],
    [59_999, "59 s ago"],
    [60_000, "1 min ago"],
    [3_600_000 * 47, "47 h ago"],
    [3_600_000 * 48, "2 days ago"],
    [-5000, "in 5 s"],
  ])("%i ms later they are %s", (past, shown) => expect(ago(AT, new Date(AT).getTime() + past)).toBe(shown));

  it("cut spans instead of rounding them up", () => expect(span(119_999)).toBe("1 min"));
});
