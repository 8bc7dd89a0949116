import { expect, test } from "vitest";
import { bytes, mebibytes, tenth } from "./amounts";

test("bytes are told in the largest unit that they fill", () => {
  expect([999, 1000, 8_738_495, 2_500_000_000].map(bytes)).toEqual(["999 B", "1.0 kB", "8.7 MB", "2.5 GB"]);
});

test("what is not known is told as that, and zero as zero", () => {
  expect([mebibytes(null), mebibytes(2048), tenth(null), tenth(0)]).toEqual(["\u2014", "2.0 MiB", "\u2014", "0.0"]);
});
