import { expect, it } from "vitest";
import { given, lacking, rightsText, skewText, venueOf } from "./venues";

it("names venues by exchange, by adapter, or says that there is none", () => {
  expect([venueOf({ adapter: "ccxt", exchange: "kraken" }), venueOf({ adapter: "alpaca", exchange: "" }), venueOf({ adapter: "", exchange: "" })]).toEqual(["Kraken", "Alpaca", "No venue yet"]);
});

it("sends what was typed alone, and says what a key lacks", () => {
  expect(given({ key_id: " AK ", passphrase: " " })).toEqual({ key_id: "AK" });
  expect(lacking("alpaca", { key_id: "AK", secret_key: " " })).toBe("Secret key first");
  expect(lacking("ccxt", { key_id: "AK", secret_key: "s" })).toBe("");
});

it("tells clocks as exactly as a venue dates its answers", () => {
  expect([skewText(0), skewText(2500), skewText(-4000), skewText(null)]).toEqual(["within 1 s", "venue 2.5 s ahead", "venue 4.0 s behind", "not told"]);
});

it("says of a key's rights what the venue told, and that the rest is untold", () => {
  expect(rightsText({ may_trade: true, may_withdraw: false })).toBe("trading allowed; withdrawing not allowed, says the venue");
  expect(rightsText({ may_trade: false, may_withdraw: null })).toBe("trading not allowed; whether it may withdraw the venue does not tell: make a key without that right");
  expect(rightsText(undefined)).toMatch(/does not tell/);
});
