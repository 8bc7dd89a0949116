/** Numbers as they are shown. Amounts come as decimal text and stay text: none of them passes through a float. */

const MINUS = "\u2212";
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

export const NOT_APPLICABLE = "\u2014";

export type Tone = "up" | "down" | "none";

interface Parts {
  isNegative: boolean;
  whole: string;
  fraction: string;
}

function partsOf(text: string): Parts | null {
  const found = DECIMAL.exec(text);
  if (found === null) return null;
  return { isNegative: found[1] === "-", whole: (found[2] ?? "0").replace(/^0+(?=\d)/, ""), fraction: found[3] ?? "" };
}

/** Half away from zero, on the digits themselves. */
function rounded({ isNegative, whole, fraction }: Parts, digits: number): Parts {
  if (fraction.length <= digits) return { isNegative, whole, fraction: fraction.padEnd(digits, "0") };
  const kept = BigInt(whole + fraction.slice(0, digits)) + (fraction.charAt(digits) >= "5" ? 1n : 0n);
  const text = kept.toString().padStart(digits + 1, "0");
  const cut = text.length - digits;
  return { isNegative, whole: text.slice(0, cut), fraction: text.slice(cut) };
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ",");
}

function written({ isNegative, whole, fraction }: Parts, isSigned: boolean): string {
  const isZero = /^0*$/.test(whole + fraction);
  const sign = isZero ? "" : isNegative ? MINUS : isSigned ? "+" : "";
  return `${sign}${grouped(whole)}${fraction === "" ? "" : `.${fraction}`}`;
}

interface DecimalOptions {
  /** Digits behind the point; without it as many as the text has, without trailing zeros. */
  digits?: number;
  /** Whether a plus is written: on profits and returns only. */
  isSigned?: boolean;
}

/** A decimal text with grouped digits; what is no decimal text is not applicable. */
export function decimal(text: string | null | undefined, { digits, isSigned = false }: DecimalOptions = {}): string {
  const parts = text == null ? null : partsOf(text);
  if (parts === null) return NOT_APPLICABLE;
  if (digits !== undefined) return written(rounded(parts, digits), isSigned);
  return written({ ...parts, fraction: parts.fraction.replace(/0+$/, "") }, isSigned);
}

/** An amount of money; the currency stands in the column head. */
export function money(text: string | null | undefined): string {
  return decimal(text, { digits: 2 });
}

/** A profit or loss. */
export function profit(text: string | null | undefined): string {
  return decimal(text, { digits: 2, isSigned: true });
}

/** A quantity with no more digits than it has. */
export function quantity(text: string | null | undefined): string {
  return decimal(text);
}

/** How many digits the tick of an instrument has behind the point. */
export function digitsOf(step: string): number {
  return (partsOf(step)?.fraction ?? "").replace(/0+$/, "").length;
}

/** A price: at least two digits, more only where it has them, or as many as the tick has. */
export function price(text: string | null | undefined, tick?: string): string {
  const parts = text == null ? null : partsOf(text);
  if (parts === null) return NOT_APPLICABLE;
  const own = parts.fraction.replace(/0+$/, "").length;
  return written(rounded(parts, tick === undefined ? Math.max(2, own) : digitsOf(tick)), false);
}

/** A share of one as percent, from a statistic (a float) or from text; `digits` behind the point. */
export function percent(share: number | string | null | undefined, { digits = 2, isSigned = false } = {}): string {
  if (share == null || (typeof share === "number" && !Number.isFinite(share))) return NOT_APPLICABLE;
  const text = typeof share === "number" ? (share * 100).toFixed(digits + 2) : shifted(share);
  const parts = text === null ? null : partsOf(text);
  return parts === null ? NOT_APPLICABLE : `${written(rounded(parts, digits), isSigned)} %`;
}

function shifted(text: string): string | null {
  const parts = partsOf(text);
  if (parts === null) return null;
  const fraction = parts.fraction.padEnd(2, "0");
  return `${parts.isNegative ? "-" : ""}${parts.whole}${fraction.slice(0, 2)}.${fraction.slice(2) || "0"}`;
}

/** A ratio such as Sharpe's, which is a statistic. What has no value says why. */
export function ratio(value: number | null | undefined, why = ""): string {
  if (value == null || !Number.isFinite(value)) return unavailable(why);
  return decimal(value.toFixed(2), { digits: 2 });
}

/** What could not be computed, with the reason. */
export function unavailable(why: string): string {
  return why === "" ? NOT_APPLICABLE : `n/a (${why})`;
}

/** A count. */
export function count(value: number): string {
  return grouped(Math.trunc(Math.abs(value)).toString()).replace(/^/, value < 0 ? MINUS : "");
}

/** Which direction an amount speaks of; zero has none. */
export function tone(value: string | number | null | undefined): Tone {
  if (value == null) return "none";
  const text = typeof value === "number" ? (Number.isFinite(value) ? value.toFixed(12) : "") : value;
  const parts = partsOf(text);
  if (parts === null || /^0*$/.test(parts.whole + parts.fraction)) return "none";
  return parts.isNegative ? "down" : "up";
}

const UNITS: readonly [number, string][] = [
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

/** A number in few characters, for the axes of charts alone. */
export function compact(value: number): string {
  const size = Math.abs(value);
  const unit = UNITS.find(([from]) => size >= from);
  const text = unit === undefined ? String(Number(size.toPrecision(3))) : `${Number((size / unit[0]).toPrecision(3))} ${unit[1]}`;
  return `${value < 0 ? MINUS : ""}${text}`;
}
