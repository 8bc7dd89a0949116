import { useEffect, useState } from "react";
import { NOT_APPLICABLE } from "../format/numbers";
import { ago, moment } from "../format/times";

const TICK_MS = 5_000;

/** Now, but that what was a moment ago is a second ago: nobody reads milliseconds. */
function seenAt(at: string, now: number): number {
  const then = Date.parse(at);
  return now >= then ? Math.max(now, then + 1000) : now;
}

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
      {ago(at, seenAt(at, Math.max(now, Date.now())))}
    </time>
  );
}
