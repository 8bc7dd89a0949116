import { useEffect, useRef } from "react";
import { NOT_APPLICABLE, price } from "../format/numbers";
import type { PriceView } from "../api/schema";
import type { Frame } from "./channels";
import { listen } from "./connection";

const PAINT_MS = 200;

interface QuoteProps {
  symbol: string;
  /** Of which feed; the price of any where it is left out. */
  feedId?: string | null | undefined;
  /** What is known without the stream. */
  first?: string | null | undefined;
}

/** The newest price of a symbol, written into the page at most five times a second, past React. */
export function Quote({ symbol, feedId, first }: QuoteProps) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let newest: PriceView | null = null;
    let painting: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      painting = undefined;
      if (place.current === null || newest === null) return;
      place.current.textContent = price(newest.price);
      place.current.title = newest.marked_at;
    };
    const leave = listen(`quotes:${symbol}`, {
      onFrame: (frame: Frame) => {
        const told = frame.data as PriceView;
        if (feedId != null && told.feed_id !== feedId) return;
        newest = told;
        painting ??= setTimeout(paint, PAINT_MS);
      },
    });
    return () => {
      clearTimeout(painting);
      leave();
    };
  }, [symbol, feedId]);
  return <span ref={place}>{first == null ? NOT_APPLICABLE : price(first)}</span>;
}
