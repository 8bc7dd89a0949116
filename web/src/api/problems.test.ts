import { expect, it } from "vitest";
import { isPassing, problemOf, Unreachable } from "./problems";

it.each([null, "<html>", 7, {}, { code: "X" }])("%j is a problem nobody described", (body) => {
  const found = problemOf(body, 502);
  expect([found.code, found.message]).toEqual(["ANSWER_UNREADABLE", "the server answered 502 without saying why"]);
});

it("keeps code, text, pointer and trace of one that was", () => {
  const found = problemOf({ code: "LIMIT", detail: "too many", pointer: "/qty", trace_id: "4bf9", extra: 1 }, 422);
  expect([found.code, found.message, found.pointer, found.traceId]).toEqual(["LIMIT", "too many", "/qty", "4bf9"]);
});

it("repeats only what may pass", () => {
  expect([429, 503, 400, 401, 403, 404, 422, 500].map((status) => isPassing(problemOf({}, status)))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(isPassing(new Unreachable())).toBe(true);
});
