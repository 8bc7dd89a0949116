/** How a figure of a backtest is shown: by its unit; formula, source and the reason why it has no value come from the server. */

import type { FigureView } from "../api/schema";
import { count, decimal, money, percent, ratio, tone, unavailable } from "../format/numbers";

export type Figures = ReadonlyMap<string, FigureView>;

const CHANGES = new Set(["total_return", "cagr", "benchmark_return", "alpha", "best_day", "worst_day", "expectancy", "best_trade", "worst_trade"]);
const WHOLE = new Set(["bars", "trades"]);

/** A figure as people read it; one without a value says why. */
export function shownFigure(value: number | null | undefined, figure: FigureView | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return unavailable(figure?.undefined ?? "");
  const unit = figure?.unit ?? "ratio";
  const isSigned = CHANGES.has(figure?.name ?? "");
  if (unit.startsWith("fraction") || unit === "probability") return percent(value, { isSigned });
  if (unit === "currency") return isSigned ? decimal(value.toFixed(2), { digits: 2, isSigned }) : money(value.toFixed(2));
  if (WHOLE.has(unit) || (unit === "days" && Number.isInteger(value))) return count(value);
  return ratio(value);
}

/** The direction of a figure that is a gain or a loss; the others have none. */
export function figureTone(value: number | null | undefined, name: string): "up" | "down" | undefined {
  if (!CHANGES.has(name)) return undefined;
  const found = tone(value ?? null);
  return found === "none" ? undefined : found;
}

/** What stands in the tooltip of a figure. */
export function formulaOf(figure: FigureView | undefined): string {
  if (figure === undefined) return "";
  return `${figure.formula}\nUnit: ${figure.unit}. Source: ${figure.source}.\n${figure.meaning}`;
}
