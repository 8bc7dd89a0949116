import { Button, Menu, SegmentedControl } from "@mantine/core";
import { Download } from "lucide-react";
import { lazy, type ReactNode, Suspense, useMemo, useRef, useState } from "react";
import { Loading } from "../panes/states";
import { save } from "../tables/TableTools";
import "./chart.css";
import type { Drawing } from "./drawing";
import { csvOf, instant, type Layer, type PaneSpec, type Range, RANGES } from "./layers";

const Canvas = lazy(() => import("./Canvas"));
const ChartTable = lazy(() => import("./ChartTable"));

interface TimeChartProps {
  /** What it shows; names the picture for those who do not see it, and its files. */
  name: string;
  /** Kept between renderings: new ones are drawn anew. */
  panes: readonly PaneSpec[];
  height: number;
  /** Kept by whoever holds it, in the address; else the chart keeps it. */
  range?: Range;
  onRange?: (range: Range) => void;
  /** The mark that is picked in a table. */
  selected?: string | null;
  /** The instant, in seconds, whose surroundings are shown. */
  focus?: number | null;
  /** A mark was clicked. */
  onMark?: (id: string) => void;
  /** A bar was clicked, by its time in seconds. */
  onBar?: (at: number) => void;
  /** Further things to do, beside the ranges. */
  actions?: ReactNode;
}

/** Panes over one time scale, with ranges, a logarithmic scale, the same as a table, and files of it. */
export function TimeChart(props: TimeChartProps) {
  const { name, panes, height, range, onRange, selected = null, focus = null, onMark, onBar, actions } = props;
  const [own, keep] = useState<Range>("All");
  const [isLog, setLog] = useState(false);
  const [isTable, showTable] = useState(false);
  const held = useRef<Drawing | null>(null);
  const shown = range ?? own;
  const layers = useMemo(() => panes.flatMap((pane) => [...pane.layers]), [panes]);
  const legend = useRef<HTMLDivElement>(null);
  const tell = (at: number | null, values: ReadonlyMap<string, string>) => write(legend.current, at, values);
  return (
    <div className="chart">
      <div className="chart-tools">
        <SegmentedControl
          size="xs"
          aria-label="Range"
          data={[...RANGES]}
          value={shown}
          onChange={(chosen) => (onRange ?? keep)(chosen as Range)}
        />
        {panes.some((pane) => pane.hasLog) && (
          <Button size="compact-xs" variant={isLog ? "light" : "default"} aria-pressed={isLog} onClick={() => setLog(!isLog)}>
            Log
          </Button>
        )}
        {actions}
        <span className="chart-more">
          <Button size="compact-xs" variant="default" aria-pressed={isTable} onClick={() => showTable(!isTable)}>
            {isTable ? "View as chart" : "View as table"}
          </Button>
          <Files name={name} panes={panes} picture={isTable ? null : () => held.current?.picture() ?? null} />
        </span>
      </div>
      <Suspense fallback={<Loading height={height} />}>
        {isTable ? (
          <div style={{ height, overflow: "auto" }}>
            <ChartTable name={name} panes={panes} />
          </div>
        ) : (
          <>
            <Legend of={layers} box={legend} />
            <div role="img" aria-label={`${name}, a chart: "View as table" has its values`} className="chart-box" style={{ height }}>
              <Canvas
                panes={panes}
                range={shown}
                isLog={isLog}
                selected={selected}
                focus={focus}
                held={held}
                onPoint={tell}
                onPick={(mark, at) => {
                  if (mark !== null) onMark?.(mark);
                  else onBar?.(at);
                }}
              />
            </div>
          </>
        )}
      </Suspense>
    </div>
  );
}

/** What lies under the pointer. Its text is written past React: it changes with every movement. */
function Legend({ of, box }: { of: readonly Layer[]; box: React.RefObject<HTMLDivElement | null> }) {
  return (
    <div className="chart-legend" ref={box}>
      <time data-layer="at" />
      {of.map((layer) => (
        <span key={layer.id}>
          <span className={`chart-key is-${layer.kind === "candles" ? "dim" : layer.ink}`} aria-hidden />
          {layer.label} <b data-layer={layer.id} />
        </span>
      ))}
    </div>
  );
}

function write(legend: HTMLElement | null, at: number | null, values: ReadonlyMap<string, string>): void {
  for (const place of legend?.querySelectorAll<HTMLElement>("[data-layer]") ?? []) {
    const id = place.dataset["layer"] ?? "";
    place.textContent = id === "at" ? (at === null ? "" : instant(at).replace("T", " ")) : (values.get(id) ?? "");
  }
}

interface FilesProps {
  name: string;
  panes: readonly PaneSpec[];
  /** The chart as it is drawn now; null while the table is shown. */
  picture: (() => HTMLCanvasElement | null) | null;
}

function Files({ name, panes, picture }: FilesProps) {
  const file = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const savePicture = () => picture?.()?.toBlob((blob) => blob && save(`${file}.png`, blob, "image/png"));
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button size="compact-xs" variant="default" leftSection={<Download size={12} aria-hidden />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item disabled={picture === null} onClick={savePicture}>
          {picture === null ? "PNG (of the chart, not of the table)" : "PNG"}
        </Menu.Item>
        <Menu.Item onClick={() => save(`${file}.csv`, csvOf(panes))}>CSV</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
