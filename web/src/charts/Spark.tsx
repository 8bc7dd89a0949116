import type { Ink } from "./layers";

interface SparkProps {
  /** What it shows, for those who do not see it. */
  label: string;
  values: readonly number[];
  ink?: Ink;
  width?: number;
  height?: number;
}

/** A course in the size of a word; light enough for every row of a table. */
export function Spark({ label, values, ink = "accent", width = 96, height = 20 }: SparkProps) {
  const lowest = Math.min(...values);
  const reach = Math.max(...values) - lowest || 1;
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, place) => `${(place * step).toFixed(1)},${(height - 1 - ((value - lowest) / reach) * (height - 2)).toFixed(1)}`);
  return (
    <svg className="spark" role="img" aria-label={label} width={width} height={height}>
      <polyline points={points.join(" ")} fill="none" strokeWidth={1.25} stroke={`var(--${ink === "dim" ? "faint" : ink})`} />
    </svg>
  );
}
