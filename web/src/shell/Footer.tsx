import { useEffect, useState } from "react";
import { healthMark, useHealth } from "../api/health";
import { clock } from "../format/times";
import { StreamMark } from "../stream/StreamMark";

const SECOND_MS = 1000;

function useNow(): Date {
  const [now, tick] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => tick(new Date()), SECOND_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Footer() {
  const now = useNow();
  const health = useHealth();
  const { tone, text } = healthMark(health);
  return (
    <footer className="shell-footer">
      <span role="status">
        <span className={`dot is-${tone}`} aria-hidden /> {text}
      </span>
      <StreamMark />
      <span className="shell-right">
        <time dateTime={now.toISOString()}>{clock(now)}</time>
        {health.data !== undefined && <span>Alphintra {health.data.version}</span>}
      </span>
    </footer>
  );
}
