import { type RefObject, useEffect, useRef } from "react";
import { onColours } from "./colours";
import { Drawing, type Heard } from "./drawing";
import type { PaneSpec, Range } from "./layers";

interface CanvasProps extends Heard {
  panes: readonly PaneSpec[];
  range: Range;
  isLog: boolean;
  selected: string | null;
  focus: number | null;
  /** Where the drawing is to be reached for a picture of it. */
  held: RefObject<Drawing | null>;
}

/** The drawn part of a chart: loaded when a chart is first wanted, because the library is large. */
export default function Canvas({ panes, range, isLog, selected, focus, held, onPoint, onPick }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const heard = useRef<Heard>({ onPoint, onPick });
  heard.current = { onPoint, onPick };

  useEffect(() => {
    if (box.current === null) return;
    const drawing = new Drawing(box.current, {
      onPoint: (at, values) => heard.current.onPoint(at, values),
      onPick: (mark, at) => heard.current.onPick(mark, at),
    });
    held.current = drawing;
    const stop = onColours(() => drawing.recolour());
    return () => {
      stop();
      held.current = null;
      drawing.dispose();
    };
  }, [held]);

  useEffect(() => held.current?.show(panes), [held, panes]);
  useEffect(() => held.current?.scale(isLog), [held, panes, isLog]);
  const first = panes[0]?.layers[0]?.points[0]?.at;
  useEffect(() => held.current?.look(range), [held, range, first]);
  useEffect(() => {
    const marks = panes.flatMap((pane) => pane.layers).flatMap((layer) => (layer.kind === "candles" ? (layer.marks ?? []) : []));
    const at = marks.find((mark) => mark.id === selected)?.at;
    held.current?.select(selected);
    if (at !== undefined) held.current?.centre(at);
  }, [held, panes, selected]);

  useEffect(() => {
    if (focus !== null) held.current?.zoom(focus);
  }, [held, panes, focus]);

  return <div className="chart-canvas" ref={box} />;
}
