import { barsPath, isCourse, linePath, type Traced } from "./values";

/** The values of an output over the last bars: a line, or bars where a condition held. */
export function Trace({ of, width, height }: { of: Traced; width: number; height: number }) {
  const isLine = isCourse(of.kind) && of.values.some((value) => value !== null);
  const path = isLine ? linePath(of.values, width, height - 2) : barsPath(of.values, width, height);
  return (
    <svg className={isLine ? "trace" : "trace is-bars"} viewBox={`0 -1 ${width} ${height}`} preserveAspectRatio="none" aria-hidden>
      <path d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
