import { count, percent } from "../format/numbers";
import "./backtests.css";
import type { Bin } from "./result";

const HEIGHT = 120;
const WIDTH = 420;
const GAP = 2;

/** How many trades came to which return; bars left of the middle lost. */
export function Distribution({ bins, what }: { bins: readonly Bin[]; what: string }) {
  const most = Math.max(...bins.map((bin) => bin.count));
  const step = WIDTH / bins.length;
  const edge = bins.at(-1)?.to ?? 0;
  return (
    <figure className="distribution">
      <svg role="img" aria-label={`${what}, from ${percent(-edge)} to ${percent(edge)}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
        {bins.map(({ from, to, count: many }) => {
          const height = (many / most) * (HEIGHT - 1);
          const ink = to <= 1e-12 ? "down" : from >= -1e-12 ? "up" : "faint";
          return (
            <rect key={from} x={((from + edge) / (2 * edge)) * WIDTH + GAP / 2} y={HEIGHT - height} width={step - GAP} height={height} fill={`var(--${ink})`}>
              <title>{`${percent(from)} to ${percent(to)}: ${count(many)}`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption>
        <span>{percent(-edge, { digits: 1 })}</span>
        <span>0 %</span>
        <span>{percent(edge, { digits: 1, isSigned: true })}</span>
      </figcaption>
    </figure>
  );
}
