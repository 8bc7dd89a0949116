import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { BarCourseView } from "../api/schema";
import { candlesOf } from "../backtests/marks";
import { instant, type PaneSpec, type Range, RANGES, rangeStart } from "../charts/layers";
import { TimeChart } from "../charts/TimeChart";
import { compact, price } from "../format/numbers";
import { Asked } from "../panes/states";
import { useUrlChoice } from "../shell/urlState";
import { barsOf } from "./queries";

const HEIGHT = 420;

/** Prices and volume of a symbol; joined where there are many, and each where a shorter range is looked at. */
export function Chart({ symbol, focus }: { symbol: string; focus: number | null }) {
  const [range, setRange] = useUrlChoice<Range>("range", RANGES, "All");
  const whole = useQuery(barsOf(symbol));
  const start = rangeStart(range, whole.data?.closed_s.at(-1) ?? 0);
  const isFiner = start !== null && (whole.data?.stride ?? 1) > 1;
  const finer = useQuery({ ...barsOf(symbol, isFiner ? instant(start) : null), enabled: isFiner, placeholderData: keepPreviousData });
  return (
    <Asked query={isFiner && finer.data !== undefined ? finer : whole} what={`Bars of ${symbol}`} height={HEIGHT + 60}>
      {(bars) => <Drawn bars={bars} range={range} onRange={setRange} focus={focus} />}
    </Asked>
  );
}

interface DrawnProps {
  bars: BarCourseView;
  range: Range;
  onRange: (range: Range) => void;
  focus: number | null;
}

function Drawn({ bars, ...rest }: DrawnProps) {
  const panes = useMemo(() => panesOf(bars), [bars]);
  return (
    <>
      <TimeChart name={`${bars.symbol} ${bars.timeframe}, price and volume`} panes={panes} height={HEIGHT} {...rest} />
      {bars.stride > 1 && (
        <p className="dim">
          {bars.stride} bars are joined to one, with their highest and lowest; a shorter range shows each.
        </p>
      )}
    </>
  );
}

function panesOf(bars: BarCourseView): PaneSpec[] {
  const digits = (bars.close.at(-1) ?? 1) < 1 ? 6 : 2;
  const volume = bars.closed_s.map((at, place) => ({ at, value: bars.volume[place] ?? 0 }));
  return [
    {
      id: "price",
      share: 4,
      hasLog: true,
      layers: [{ kind: "candles", id: "price", label: bars.symbol, write: (value) => price(value.toFixed(digits)), points: candlesOf(bars) }],
    },
    { id: "volume", share: 1, layers: [{ kind: "columns", id: "volume", label: "Volume", ink: "dim", write: compact, points: volume }] },
  ];
}
