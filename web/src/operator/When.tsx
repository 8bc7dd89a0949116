import { useEffect, useState } from "react";
import { NOT_APPLICABLE } from "../format/numbers";
import { ago, moment } from "../format/times";

const TICK_MS = 5_000;

/** How long ago, or how soon; the moment itself where somebody points. */
export function When({ at, none = NOT_APPLICABLE }: { at: string | null; none?: string }) {
  const [now, tick] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  if (at === null) return none;
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at, Math.max(now, Date.now()))}
    </time>
  );
}
