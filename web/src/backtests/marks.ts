/** Which fill is which mark on a chart, and to which trade it belongs. */

import type { Candle, Mark } from "../charts/layers";
import type { BarCourseView } from "../api/schema";
import type { Fill, Trade } from "./result";

const seconds = (text: string) => Math.floor(new Date(text).getTime() / 1000);

export function candlesOf(bars: BarCourseView): Candle[] {
  return bars.closed_s.map((at, place) => ({
    at,
    open: bars.open[place] ?? 0,
    high: bars.high[place] ?? 0,
    low: bars.low[place] ?? 0,
    close: bars.close[place] ?? 0,
  }));
}

/** Fills on the bars that hold them: bars may be joined, so it is the first that closes then or later. */
export function marksOf(fills: readonly Fill[], bars: BarCourseView, isOnly: boolean): Mark[] {
  const closes = bars.closed_s;
  return fills.flatMap((fill, place) => {
    if (!isOnly && fill.symbol !== bars.symbol) return [];
    const at = closes[placeOf(closes, seconds(fill.ts))];
    return at === undefined || seconds(fill.ts) < (closes[0] ?? 0) ? [] : [{ id: String(place), at, side: fill.side }];
  });
}

/** The place of the first that is not before. */
export function placeOf(sorted: readonly number[], wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place of the trade a fill belongs to; -1 for one of a trade that is still open, or was left out. */
export function tradeOf(fill: Fill, trades: readonly Trade[]): number {
  const at = seconds(fill.ts);
  const holds = (trade: Trade) => seconds(trade.opened_ts) <= at && at <= seconds(trade.closed_ts) && trade.symbol === fill.symbol;
  // A fill may close one trade and open the next on the same bar: the side tells which it is.
  return trades.findIndex((trade) => holds(trade) && (fill.side === trade.side ? at < seconds(trade.closed_ts) || trade.bars === 0 : true));
}

/** The fill that opened a trade, as the id of its mark. */
export function openingOf(trade: Trade | undefined, fills: readonly Fill[]): string | null {
  if (trade === undefined) return null;
  const place = fills.findIndex((fill) => fill.ts === trade.opened_ts && fill.side === trade.side && fill.symbol === trade.symbol);
  return place < 0 ? null : String(place);
}
