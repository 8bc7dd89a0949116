import { expect, it } from "vitest";
import { fitting, type Found } from "./finding";

const thing = (group: string, label: string, words = ""): Found => ({ group, label, words, run: () => undefined });
const ALL = [
  thing("Pages", "Portfolio"),
  thing("Pages", "Orders"),
  thing("Strategies", "Sample: EMA crossover"),
  thing("Orders", "Buy 10 AAPL", "filled"),
  thing("Actions", "Stop all trading"),
];
const labels = (query: string) => fitting(ALL, query).map((one) => one.label);

it("finds the beginning first, then the beginning of a word, then anything said of it", () => {
  expect(labels("")).toHaveLength(5);
  expect(labels("or")).toEqual(["Orders", "Portfolio", "Buy 10 AAPL"]);
  expect(labels("ema")).toEqual(["Sample: EMA crossover"]);
  expect(labels("aapl filled")).toEqual(["Buy 10 AAPL"]);
  expect(labels("nothing of this")).toEqual([]);
});
