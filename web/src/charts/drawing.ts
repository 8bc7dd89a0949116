/** The one place that knows the charting library: from layers to what it draws. */

import {
  AreaSeries,
  CandlestickSeries,
  ColorType,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineSeries,
  type MouseEventParams,
  PriceScaleMode,
  type SeriesMarker,
  type SeriesType,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { type Colours, coloursNow, faded } from "./colours";
import { instant, type Layer, lastOf, type Mark, type PaneSpec, type Range, rangeStart } from "./layers";

interface Drawn {
  kind: Layer["kind"];
  series: ISeriesApi<SeriesType>;
  markers: ISeriesMarkersPluginApi<Time> | null;
}

export interface Heard {
  /** What lies under the pointer, the last values where it is elsewhere. */
  onPoint: (at: number | null, values: ReadonlyMap<string, string>) => void;
  /** A click on a mark, or on the bar at an instant. */
  onPick: (mark: string | null, at: number) => void;
}

const AXIS_WIDTH = 76;
const ZOOM_BARS = 40;

/** A chart in an element, until it is disposed of. */
export class Drawing {
  readonly #chart: IChartApi;
  readonly #heard: Heard;
  #drawn = new Map<string, Drawn>();
  #panes: readonly PaneSpec[] = [];
  #selected: string | null = null;
  #colours: Colours = coloursNow();

  constructor(element: HTMLElement, heard: Heard) {
    this.#heard = heard;
    this.#chart = createChart(element, {
      autoSize: true,
      crosshair: { mode: CrosshairMode.Normal },
      layout: { attributionLogo: false, fontFamily: '"Inter Variable", system-ui, sans-serif', fontSize: 11 },
      localization: { timeFormatter: (time: Time) => instant(Number(time)).replace("T", " ") },
      rightPriceScale: { minimumWidth: AXIS_WIDTH, scaleMargins: { top: 0.1, bottom: 0.08 } },
      timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.05, rightOffset: 2 },
    });
    this.#chart.subscribeCrosshairMove((event) => this.#tell(event));
    this.#chart.subscribeClick((event) => {
      if (event.time === undefined) return;
      const found = event.hoveredInfo?.objectId;
      this.#heard.onPick(typeof found === "string" ? found : null, Number(event.time));
    });
    this.recolour();
  }

  /** Draw these panes; what was drawn before under the same names is only given its new points. */
  show(panes: readonly PaneSpec[]): void {
    const wanted = new Map(panes.flatMap((pane, place) => pane.layers.map((layer) => [layer.id, { layer, place }] as const)));
    for (const [id, { kind, series }] of this.#drawn) {
      const next = wanted.get(id);
      if (next?.layer.kind === kind && series.getPane().paneIndex() === next.place) continue;
      this.#chart.removeSeries(series);
      this.#drawn.delete(id);
    }
    this.#panes = panes;
    for (const [id, { layer, place }] of wanted) {
      const drawn = this.#drawn.get(id) ?? this.#add(layer, place);
      this.#drawn.set(id, drawn);
      drawn.series.setData(dataOf(layer));
    }
    this.#chart.panes().forEach((pane, place) => pane.setStretchFactor(panes[place]?.share ?? 1));
    this.recolour();
    this.#tell(null);
  }

  /** Show what lies within a range that ends with the last point. */
  look(range: Range): void {
    const last = lastOf(this.#panes);
    const from = last === null ? null : rangeStart(range, last);
    if (last === null || from === null) this.#chart.timeScale().fitContent();
    else this.#chart.timeScale().setVisibleRange({ from: from as UTCTimestamp, to: last as UTCTimestamp });
  }

  /** Bring an instant into the middle, unless it is in sight. */
  centre(at: number): void {
    const scale = this.#chart.timeScale();
    const seen = scale.getVisibleRange();
    if (seen === null || (Number(seen.from) <= at && at <= Number(seen.to))) return;
    const half = (Number(seen.to) - Number(seen.from)) / 2;
    scale.setVisibleRange({ from: (at - half) as UTCTimestamp, to: (at + half) as UTCTimestamp });
  }

  /** Show the bars around an instant, forty to each side. */
  zoom(at: number): void {
    const times = [...new Set(this.#layers().flatMap((layer) => layer.points.map((point) => point.at)))].sort((one, other) => one - other);
    const place = times.findIndex((time) => time >= at);
    if (place >= 0) this.#chart.timeScale().setVisibleLogicalRange({ from: place - ZOOM_BARS, to: place + ZOOM_BARS });
  }

  /** Show one mark larger than the others. */
  select(mark: string | null): void {
    this.#selected = mark;
    this.#mark();
  }

  scale(isLog: boolean): void {
    const mode = isLog ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal;
    this.#chart.panes().forEach((pane, place) => {
      if (this.#panes[place]?.hasLog === true) pane.priceScale("right").applyOptions({ mode });
    });
  }

  /** Take over the colours of the page as they are now. */
  recolour(): void {
    const colours = (this.#colours = coloursNow());
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colours.ground },
        textColor: colours.text,
        panes: { separatorColor: colours.line, separatorHoverColor: faded(colours.faint, 0.25) },
      },
      grid: { vertLines: { color: faded(colours.line, 0.5) }, horzLines: { color: faded(colours.line, 0.5) } },
      rightPriceScale: { borderColor: colours.line },
      timeScale: { borderColor: colours.line },
      crosshair: {
        vertLine: { color: colours.faint, labelBackgroundColor: colours.faint },
        horzLine: { color: colours.faint, labelBackgroundColor: colours.faint },
      },
    });
    for (const layer of this.#layers()) this.#drawn.get(layer.id)?.series.applyOptions(lookOf(layer, colours));
    this.#mark();
  }

  picture(): HTMLCanvasElement {
    return this.#chart.takeScreenshot(true, false);
  }

  dispose(): void {
    this.#chart.remove();
  }

  #layers(): Layer[] {
    return this.#panes.flatMap((pane) => [...pane.layers]);
  }

  #add(layer: Layer, place: number): Drawn {
    const options = {
      lastValueVisible: layer.kind !== "columns",
      priceLineVisible: layer.kind === "candles",
      priceFormat: { type: "custom" as const, formatter: layer.write, minMove: 1e-6 },
      ...(layer.kind === "line" || layer.kind === "area" ? { lineWidth: 1 as const, crosshairMarkerRadius: 3 } : {}),
    };
    const kind = { candles: CandlestickSeries, line: LineSeries, area: AreaSeries, columns: HistogramSeries }[layer.kind];
    const series = this.#chart.addSeries(kind, options, place) as ISeriesApi<SeriesType>;
    return { kind: layer.kind, series, markers: layer.kind === "candles" ? createSeriesMarkers(series, []) : null };
  }

  #mark(): void {
    for (const layer of this.#layers()) {
      if (layer.kind !== "candles") continue;
      const marks = (layer.marks ?? []).map((mark) => markerOf(mark, this.#colours, mark.id === this.#selected));
      this.#drawn.get(layer.id)?.markers?.setMarkers(marks);
    }
  }

  #tell(event: MouseEventParams | null): void {
    const at = event?.time === undefined ? null : Number(event.time);
    const values = new Map<string, string>();
    for (const layer of this.#layers()) {
      const series = this.#drawn.get(layer.id)?.series;
      const found = at === null ? dataOf(layer).at(-1) : series && event?.seriesData.get(series);
      if (found === undefined) continue;
      if ("close" in found) {
        const parts = [["O", found.open], ["H", found.high], ["L", found.low], ["C", found.close]] as const;
        values.set(layer.id, parts.map(([name, value]) => `${name} ${layer.write(value)}`).join("  "));
      } else if ("value" in found) values.set(layer.id, layer.write(found.value));
    }
    this.#heard.onPoint(at ?? lastOf(this.#panes), values);
  }
}

function dataOf(layer: Layer) {
  if (layer.kind === "candles")
    return layer.points.map(({ at, ...prices }) => ({ time: at as UTCTimestamp, ...prices }));
  return layer.points.map(({ at, value }) => ({ time: at as UTCTimestamp, value }));
}

/** Hollow up and filled down; the colours of values are those of their meaning. */
function lookOf(layer: Layer, { ink, faint }: Colours) {
  if (layer.kind === "candles") {
    return {
      upColor: faded(ink.up, 0),
      downColor: ink.down,
      borderUpColor: ink.up,
      borderDownColor: ink.down,
      wickUpColor: ink.up,
      wickDownColor: ink.down,
      priceLineColor: faint,
    };
  }
  const colour = ink[layer.ink];
  if (layer.kind === "area") return { lineColor: colour, topColor: faded(colour, 0.04), bottomColor: faded(colour, 0.2), invertFilledArea: true };
  return { color: layer.kind === "columns" ? faded(colour, 0.5) : colour };
}

function markerOf(mark: Mark, { ink }: Colours, isSelected: boolean): SeriesMarker<Time> {
  const isBuy = mark.side === "buy";
  return {
    id: mark.id,
    time: mark.at as UTCTimestamp,
    position: isBuy ? "belowBar" : "aboveBar",
    shape: isBuy ? "arrowUp" : "arrowDown",
    color: isSelected ? ink.accent : isBuy ? ink.up : ink.down,
    text: isBuy ? "B" : "S",
    size: isSelected ? 2 : 1,
  };
}
