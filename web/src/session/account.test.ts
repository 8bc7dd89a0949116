import { expect, it } from "vitest";
import type { AccountView } from "../api/schema";
import { kindOf, meant } from "./account";

const account = (account_id: string, mode: "paper" | "live" = "paper") => ({ account_id, mode }) as AccountView;
const ALL = [account("a"), account("b"), account("c", "live")];

it("means the account of the address, then the one kept, then the oldest", () => {
  expect(meant(ALL, "c", "b")?.account_id).toBe("c");
  expect(meant(ALL, "", "b")?.account_id).toBe("b");
  expect(meant(ALL, "gone", "gone too")?.account_id).toBe("a");
  expect(meant([], "c", "b")).toBeUndefined();
});

it("knows live from paper", () => {
  expect(ALL.map(kindOf)).toEqual(["PAPER", "PAPER", "LIVE"]);
});
