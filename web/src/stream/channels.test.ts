import { describe, expect, it } from "vitest";
import { type Heard, isQuotes, read, type Step, step, subscribed, unsubscribed, waitBefore } from "./channels";

const at = (ch: string, seq: number) => ({ ch, seq });

function kinds(heard: Heard, frames: readonly ReturnType<typeof at>[]): [Step["kind"][], Heard] {
  const found: Step["kind"][] = [];
  for (const frame of frames) {
    const next = step(heard, frame);
    found.push(next.kind);
    heard = next.heard;
  }
  return [found, heard];
}

describe("frames of a channel", () => {
  it("are told in order from the number the subscription names", () => {
    expect(kinds({ orders: 4 }, [at("orders", 5), at("orders", 6)])).toEqual([["next", "next"], { orders: 6 }]);
  });

  it("with one missing are a gap, once", () => {
    expect(kinds({ orders: 0 }, [at("orders", 1), at("orders", 3), at("orders", 4)])).toEqual([
      ["next", "gap", "next"],
      { orders: 4 },
    ]);
  });

  it("that come twice or late change nothing", () => {
    expect(kinds({ orders: 0 }, [at("orders", 1), at("orders", 1), at("orders", 3), at("orders", 2)])).toEqual([
      ["next", "ignored", "gap", "ignored"],
      { orders: 3 },
    ]);
  });

  it("are counted for each channel alone", () => {
    expect(kinds({ orders: 0, risk: 7 }, [at("orders", 1), at("risk", 8), at("fills", 1)])[0]).toEqual(["next", "next", "ignored"]);
  });

  it("count anew after another subscription, and are not heard after leaving", () => {
    expect(step(subscribed({ orders: 9 }, { orders: 0 }), at("orders", 1)).kind).toBe("next");
    expect(step(unsubscribed({ orders: 9, risk: 1 }, ["orders"]), at("orders", 10)).kind).toBe("ignored");
    expect(unsubscribed({ orders: 9, risk: 1 }, ["orders"])).toEqual({ risk: 1 });
  });
});

describe("what the server says", () => {
  it("is read, whatever it is", () => {
    expect(read('{"ch":"orders","seq":1,"ts":"t","data":{"a":1}}')).toEqual({
      kind: "frame",
      frame: { ch: "orders", seq: 1, ts: "t", data: { a: 1 } },
    });
    expect(read('{"op":"subscribed","channels":{"orders":3}}')).toEqual({ kind: "subscribed", counts: { orders: 3 } });
    expect(read('{"op":"refused","code":"C","detail":"d","channel":"x"}')).toEqual({ kind: "refused", code: "C", detail: "d", channel: "x" });
    expect(read('{"op":"beat","ts":"t"}').kind).toBe("beat");
    for (const nonsense of ["", "{", "null", "[]", '{"op":"shout"}']) expect(read(nonsense).kind).toBe("unknown");
  });

  it("knows prices, of which the newest is enough", () => {
    expect([isQuotes("quotes:AAPL"), isQuotes("orders")]).toEqual([true, false]);
  });
});

describe("waiting before connecting again", () => {
  it("doubles from half a second to fifteen, and is never the same for all", () => {
    expect([0, 1, 2, 10].map((attempt) => waitBefore(attempt, 1))).toEqual([500, 1000, 2000, 15_000]);
    expect([0, 1, 2, 10].map((attempt) => waitBefore(attempt, 0))).toEqual([500, 500, 1000, 7500]);
  });
});
