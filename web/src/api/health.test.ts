import { expect, it } from "vitest";
import { healthMark } from "./health";
import type { PlatformHealth } from "./schema";

const service = (name: string, status: string) => ({ service: name, status }) as PlatformHealth["services"][number];

it("names the services that are down, and an unreachable platform before what it said earlier", () => {
  const data: PlatformHealth = { status: "down", version: "1", services: [service("risk", "down"), service("user", "ok")] };
  expect(healthMark({ data, error: null })).toEqual({ tone: "bad", text: "Down: risk" });
  expect(healthMark({ data: { ...data, services: [service("user", "ok")] }, error: null }).text).toBe("1 service well");
  expect(healthMark({ data, error: new Error("gone") })).toEqual({ tone: "bad", text: "gone" });
  expect(healthMark({ data: undefined, error: null }).tone).toBe("warn");
});
