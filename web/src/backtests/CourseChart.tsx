import { Select } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { BacktestCourseView, BacktestView } from "../api/schema";
import { instant, type PaneSpec, type Range, RANGES, rangeStart } from "../charts/layers";
import { TimeChart } from "../charts/TimeChart";
import { money, percent, price } from "../format/numbers";
import { Asked } from "../panes/states";
import { useUrlChoice, useUrlText } from "../shell/urlState";
import { candlesOf, marksOf } from "./marks";
import { oneCourse } from "./queries";
import { type Result, resultOf } from "./result";

interface CourseChartProps {
  backtest: BacktestView;
  /** Whether price alone is shown, without equity and drawdown. */
  isPrice?: boolean;
  selected: string | null;
  onMark: (id: string) => void;
  onBar: (at: number) => void;
}

/** Price with fills, equity beside buying and holding, and the drawdown, over one time scale. */
export function CourseChart({ backtest, isPrice = false, selected, onMark, onBar }: CourseChartProps) {
  const [symbol, choose] = useUrlText("symbol", backtest.symbols[0]);
  const [range, setRange] = useUrlChoice<Range>("range", RANGES, "All");
  const result = resultOf(backtest);
  const whole = useQuery(oneCourse(backtest.backtest_id, symbol));
  const start = rangeStart(range, whole.data?.bars.closed_s.at(-1) ?? 0);
  // Joined bars are asked for anew, finer, where less of them is looked at.
  const isFiner = start !== null && (whole.data?.bars.stride ?? 1) > 1;
  const finer = useQuery({
    ...oneCourse(backtest.backtest_id, symbol, isFiner ? instant(start) : null),
    enabled: isFiner,
    placeholderData: keepPreviousData,
  });
  const shown = isFiner && finer.data !== undefined ? finer : whole;
  const height = isPrice ? 300 : 520;
  return (
    <Asked query={shown} what="The course of this backtest" height={height + 60}>
      {(course) => (
        <Drawn
          name={`${course.bars.symbol} ${course.bars.timeframe}, ${isPrice ? "price and fills" : "price, equity and drawdown"}`}
          course={course}
          result={result}
          isOnly={backtest.symbols.length === 1}
          isPrice={isPrice}
          height={height}
          range={range}
          onRange={setRange}
          selected={selected}
          onMark={onMark}
          onBar={onBar}
          actions={
            backtest.symbols.length > 1 && (
              <Select aria-label="Symbol whose price is shown" w={120} data={backtest.symbols} value={symbol} onChange={(next) => choose(next ?? "")} />
            )
          }
        />
      )}
    </Asked>
  );
}

interface DrawnProps extends Omit<CourseChartProps, "backtest"> {
  name: string;
  course: BacktestCourseView;
  result: Result;
  isOnly: boolean;
  height: number;
  range: Range;
  onRange: (range: Range) => void;
  actions: React.ReactNode;
}

function Drawn({ course, result, isOnly, isPrice = false, ...rest }: DrawnProps) {
  const panes = useMemo(() => panesOf(course, result, isOnly, isPrice), [course, result, isOnly, isPrice]);
  return (
    <>
      <TimeChart panes={panes} {...rest} />
      {course.bars.stride > 1 && (
        <p className="dim">
          {course.bars.stride} bars are joined to one, with their highest and lowest; a shorter range shows each.
        </p>
      )}
    </>
  );
}

const written = (value: number) => money(value.toFixed(2));

function panesOf(course: BacktestCourseView, result: Result, isOnly: boolean, isPrice: boolean): PaneSpec[] {
  const { bars } = course;
  const digits = (bars.close.at(-1) ?? 1) < 1 ? 6 : 2;
  const pointsOf = (values: readonly number[]) => bars.closed_s.map((at, place) => ({ at, value: values[place] ?? 0 }));
  const marks = marksOf(result.fills, bars, isOnly);
  const top: PaneSpec = {
    id: "price",
    share: 3,
    hasLog: true,
    layers: [{ kind: "candles", id: "price", label: bars.symbol, write: (value) => price(value.toFixed(digits)), points: candlesOf(bars), marks }],
  };
  if (isPrice) return [top];
  return [
    top,
    {
      id: "equity",
      share: 2,
      hasLog: true,
      layers: [
        { kind: "line", id: "equity", label: "Equity", ink: "accent", write: written, points: pointsOf(course.equity) },
        { kind: "line", id: "benchmark", label: "Buy and hold", ink: "dim", write: written, points: pointsOf(course.benchmark) },
      ],
    },
    {
      id: "drawdown",
      share: 1,
      layers: [{ kind: "area", id: "drawdown", label: "Drawdown", ink: "down", write: (value) => percent(value), points: pointsOf(course.drawdown) }],
    },
  ];
}
