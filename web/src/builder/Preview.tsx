import { Button, Select } from "@mantine/core";
import { useContext, useState } from "react";
import { day, moment } from "../format/times";
import { PreviewContext, useBench, useDrawing } from "./context";
import { nodeOf } from "./graph";
import { graphOf } from "./store";
import { Trace } from "./Trace";
import { isCourse, plainNumber, type Traced, valueText } from "./values";

const BAR_COUNTS = [60, 120, 250, 500] as const;
export type BarCount = (typeof BAR_COUNTS)[number];

export interface PreviewProps {
  symbol: string;
  symbols: readonly string[];
  bars: BarCount;
  onSymbol: (symbol: string) => void;
  onBars: (bars: BarCount) => void;
  failure: string;
}

/** The values of the chosen nodes over the newest bars of a symbol, computed as a run computes them. */
export function Preview({ symbol, symbols, bars, onSymbol, onBars, failure }: PreviewProps) {
  const previewed = useContext(PreviewContext);
  const [isTable, showTable] = useState(false);
  const chosen = useDrawing((state) => state.nodes);
  const graph = useDrawing(graphOf);
  const { catalogue } = useBench();
  const nodes = chosen.size > 0 ? [...chosen] : graph.nodes.filter((node) => catalogue.of(node)?.type === "Plot").map((node) => node.id);
  const rows: [string, Traced][] = [];
  const missing: [string, string][] = [];
  for (const id of nodes) {
    const node = nodeOf(graph, id);
    const type = node && catalogue.of(node);
    const ports = type === undefined ? [] : type.outputs.length > 0 ? type.outputs : type.inputs.slice(0, 1);
    for (const port of ports) {
      const traced = previewed?.series.get(`${id}.${port.name}`);
      if (traced !== undefined) rows.push([`${id}.${port.name}`, traced]);
    }
    const reason = previewed?.leftOut.get(id);
    if (reason !== undefined) missing.push([id, reason]);
  }
  return (
    <div className="preview">
      <div className="preview-head">
        <Select aria-label="Symbol of the preview" data={[...symbols]} value={symbol === "" ? null : symbol} placeholder="Symbol" searchable w={120} onChange={(next) => next !== null && onSymbol(next)} />
        <Select aria-label="Bars of the preview" data={BAR_COUNTS.map((each) => ({ value: String(each), label: `${each} bars` }))} value={String(bars)} w={110} onChange={(next) => next !== null && onBars(Number(next) as BarCount)} />
        <span className="dim">
          {previewed === null || previewed.times.length === 0 ? "" : `${day(previewed.times[0])} to ${day(previewed.times.at(-1))}`}
          {chosen.size === 0 ? " \u00b7 plots; choose nodes to see theirs" : ""}
        </span>
        {rows.length > 0 && (
          <Button variant="default" className="preview-view" onClick={() => showTable(!isTable)}>
            {isTable ? "View as chart" : "View as table"}
          </Button>
        )}
      </div>
      {failure !== "" && <p className="state danger">{failure}</p>}
      {symbols.length === 0 && <p className="state">There are no bars yet: import or download some under Markets.</p>}
      {missing.map(([id, reason]) => (
        <p className="state" key={id}>
          <span>
            <span className="mono">{id}</span> is left out: {reason}.
          </span>
        </p>
      ))}
      {rows.length > 0 && previewed !== null && (isTable ? <Table rows={rows} times={previewed.times} /> : <Courses rows={rows} times={previewed.times} />)}
    </div>
  );
}

const WIDTH = 1000;
const HEIGHT = 64;

function Courses({ rows, times }: { rows: readonly [string, Traced][]; times: readonly string[] }) {
  const [at, point] = useState<number | null>(null);
  const place = at ?? times.length - 1;
  return (
    <div
      className="courses"
      onPointerMove={(event) => {
        const box = event.currentTarget.querySelector(".course-box")?.getBoundingClientRect();
        if (box === undefined) return;
        const share = (event.clientX - box.left) / box.width;
        point(share < 0 || share > 1 ? null : Math.round(share * (times.length - 1)));
      }}
      onPointerLeave={() => point(null)}
    >
      {rows.map(([end, traced]) => {
        const known = traced.values.filter((value): value is number => value !== null);
        return (
          <div className="course" key={end}>
            <span className="mono course-name">{end}</span>
            <div className="course-box">
              <Trace of={traced} width={WIDTH} height={HEIGHT} />
              {at !== null && <span className="course-at" style={{ left: `${(place / Math.max(1, times.length - 1)) * 100}%` }} />}
            </div>
            <span className="num course-value">{valueText(traced.kind, traced.values[place])}</span>
            <span className="num dim course-range">
              {known.length === 0
                ? "no value yet"
                : isCourse(traced.kind)
                  ? `${plainNumber(Math.min(...known))} to ${plainNumber(Math.max(...known))}`
                  : `${known.filter((value) => value !== 0).length} of ${known.length} bars`}
            </span>
          </div>
        );
      })}
      <p className="dim courses-time">{moment(times[place])}</p>
    </div>
  );
}

function Table({ rows, times }: { rows: readonly [string, Traced][]; times: readonly string[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Close</th>
          {rows.map(([end]) => (
            <th key={end} className="num">
              {end}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {times.map((_time, index) => times.length - 1 - index).map((place) => (
          <tr key={times[place]}>
            <td className="mono">{moment(times[place])}</td>
            {rows.map(([end, traced]) => (
              <td key={end} className="num">
                {valueText(traced.kind, traced.values[place])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
