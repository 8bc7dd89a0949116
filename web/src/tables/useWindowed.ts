import { type RefObject, useEffect, useState } from "react";

/** From how many rows on only those in view are drawn. */
export const DRAWN_MAX = 500;
const AROUND = 20;

interface Windowed {
  from: number;
  to: number;
  isWindowed: boolean;
}

/** Which of many rows of one height to draw, for where their box is scrolled to. */
export function windowOf(rows: number, scrollTop: number, boxHeight: number, rowHeight: number): Windowed {
  if (rows <= DRAWN_MAX || rowHeight <= 0) return { from: 0, to: rows, isWindowed: false };
  const first = Math.floor(scrollTop / rowHeight) - AROUND;
  const last = Math.ceil((scrollTop + boxHeight) / rowHeight) + AROUND;
  const from = Math.min(Math.max(0, first), rows);
  return { from, to: Math.min(rows, Math.max(last, from)), isWindowed: true };
}

/** The same, following the box while it is scrolled. */
export function useWindowed(box: RefObject<HTMLElement | null>, rows: number, rowHeight: number): Windowed {
  const [seen, see] = useState({ top: 0, height: 800 });
  const isMany = rows > DRAWN_MAX;
  useEffect(() => {
    const element = box.current;
    if (element === null || !isMany) return;
    const look = () => see({ top: element.scrollTop, height: element.clientHeight });
    look();
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [box, isMany]);
  return windowOf(rows, seen.top, seen.height, rowHeight);
}
