import { useEffect, useState } from "react";
import { span } from "../format/times";
import { useChannel, useStream } from "./useChannel";

const STALE_MS = 5_000;

/** Whether what is shown is told live, and since when not. */
export function StreamMark() {
  const { state, heardAt } = useStream();
  const now = useSecond();
  useChannel("health", { refreshes: [["health"]] });
  const age = Math.max(0, now - heardAt);
  const isStale = state !== "open" || age > STALE_MS;
  const text = state === "open" ? `Live${isStale ? `, heard ${span(age)} ago` : ""}` : heardAt === 0 ? "Connecting" : `Not live for ${span(age)}`;
  return (
    <span title={heardAt === 0 ? "The live stream was not heard yet" : `The live stream was heard ${span(age)} ago`}>
      <span className={`dot is-${isStale ? "warn" : "ok"}`} aria-hidden /> {text}
    </span>
  );
}

function useSecond(): number {
  const [now, tick] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
