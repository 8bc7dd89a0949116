import { expect, it } from "vitest";
import { readPreferences } from "./preferences";

it.each([null, "", "{", "null", "[]", '{"preset":"neon","density":7}'])("%s is the usual look", (kept) =>
  expect(readPreferences(kept)).toEqual({ preset: "default", density: "compact" }),
);

it("is what was kept, each part by itself", () =>
  expect(readPreferences('{"preset":"red-up","density":"?"}')).toEqual({ preset: "red-up", density: "compact" }));
