/** What a run is asked for with, as it is typed, and as the API takes it. */

export interface Terms {
  /** `version:` and an id, or `template:` and a name. */
  strategy: string;
  symbols: string[];
  start: string;
  end: string;
  cash: string;
  feeBps: string;
  feePerShare: string;
  slippageBps: string;
}

export const USUAL: Terms = { strategy: "", symbols: [], start: "", end: "", cash: "100000", feeBps: "5", feePerShare: "0", slippageBps: "2" };

/** What a bar does to stops and targets: our own rule, and what other engines do. */
export const INTRABARS = [
  { value: "chronological", label: "In order of time; against the order where that is open" },
  { value: "vectorbt", label: "As vectorbt; paper and live do otherwise" },
  { value: "backtrader", label: "As backtrader; paper and live do otherwise" },
] as const;
export type Intrabar = (typeof INTRABARS)[number]["value"];

const AMOUNT = /^\d+(\.\d+)?$/;

/** Why it cannot be asked for; empty where it can. */
export function missingOf(terms: Terms): string {
  if (terms.strategy === "") return "Choose a strategy";
  if (terms.symbols.length === 0) return "Choose a symbol";
  const amounts = [terms.cash, terms.feeBps, terms.feePerShare, terms.slippageBps];
  if (!amounts.every((text) => AMOUNT.test(text))) return "Write cash and costs as plain numbers, such as 100000 or 2.5";
  if (terms.start !== "" && terms.end !== "" && terms.start >= terms.end) return "The range ends before it starts";
  return "";
}

/** What the API is sent, but for the version. A day begins at midnight UTC; the end is not part of the range. */
export function bodyOf(terms: Terms) {
  const midnight = (day: string) => (day === "" ? null : `${day}T00:00:00Z`);
  const [only, ...others] = terms.symbols;
  return {
    symbol: others.length === 0 ? (only ?? "") : "",
    symbols: others.length === 0 ? [] : terms.symbols,
    start: midnight(terms.start),
    end: midnight(terms.end),
    initial_cash: terms.cash,
    fee_bps: terms.feeBps,
    fee_per_share: terms.feePerShare,
    slippage_bps: terms.slippageBps,
    account_id: null,
  };
}

export interface Turned {
  name: string;
  min: string;
  max: string;
  step: string;
}

/** How many values a turned parameter has; null where it is not rightly written. */
export function valuesOf({ min, max, step }: Turned): number | null {
  const numbers = [min, max, step].map((text) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN));
  const [from = Number.NaN, to = Number.NaN, by = Number.NaN] = numbers;
  return numbers.some(Number.isNaN) || by <= 0 || to < from ? null : Math.floor((to - from) / by + 1e-9) + 1;
}
