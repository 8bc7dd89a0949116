/** Arithmetic on decimal text, exact: none of it passes through a float. */

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

interface Scaled {
  units: bigint;
  /** How many digits of `units` stand behind the point. */
  digits: number;
}

function scaled(text: string): Scaled | null {
  const found = DECIMAL.exec(text);
  if (found === null) return null;
  const fraction = found[3] ?? "";
  const units = BigInt((found[2] ?? "0") + fraction);
  return { units: found[1] === "-" ? -units : units, digits: fraction.length };
}

function raised({ units, digits }: Scaled, to: number): bigint {
  return units * 10n ** BigInt(to - digits);
}

export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** Which of two is larger, as sorting asks it; null where one of them is no decimal text. */
export function compareDecimals(first: string, second: string): number | null {
  const [a, b] = [scaled(first), scaled(second)];
  if (a === null || b === null) return null;
  const digits = Math.max(a.digits, b.digits);
  const [left, right] = [raised(a, digits), raised(b, digits)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum; what is no decimal text is left out. */
export function sumOf(texts: Iterable<string>): string {
  let total: Scaled = { units: 0n, digits: 0 };
  for (const text of texts) {
    const one = scaled(text);
    if (one === null) continue;
    const digits = Math.max(total.digits, one.digits);
    total = { units: raised(total, digits) + raised(one, digits), digits };
  }
  return written(total);
}

/** The negative of a decimal text. */
export function negated(text: string): string {
  const one = scaled(text);
  return one === null ? text : written({ units: -one.units, digits: one.digits });
}

function written({ units, digits }: Scaled): string {
  const isNegative = units < 0n;
  const text = (isNegative ? -units : units).toString().padStart(digits + 1, "0");
  const cut = text.length - digits;
  return `${isNegative ? "-" : ""}${text.slice(0, cut)}${digits === 0 ? "" : `.${text.slice(cut)}`}`;
}
