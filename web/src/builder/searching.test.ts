import { expect, it } from "vitest";
import { called } from "./searching";

const option = (value: string, label = value) => ({ value, label });
const OPTIONS = [option("slow_rsi.value"), option("rsi.values"), option("rsi.value"), option("bars.close", "bars.close: carries RSI bars")];

it.each([
  ["rsi.value", ["rsi.value", "rsi.values", "slow_rsi.value"]],
  [" RSI", ["rsi.values", "rsi.value", "slow_rsi.value", "bars.close"]],
  ["", ["slow_rsi.value", "rsi.values", "rsi.value", "bars.close"]],
  ["macd", []],
])("what is called %j stands in this order", (typed, expected) => expect(called(OPTIONS, typed).map(({ value }) => value)).toEqual(expected));
