import type { ReactNode } from "react";
import "./kpis.css";

export interface Kpi {
  label: string;
  value: ReactNode;
  /** What it is or how it is reckoned; where there is little room it is shown to who points there. */
  hint?: string;
  tone?: "up" | "down" | "warn" | "danger";
}

/** The chief figures of a page, in one line. */
export function Kpis({ of }: { of: readonly Kpi[] }) {
  return (
    <dl className="kpis">
      {of.map(({ label, value, hint, tone }) => (
        <div key={label} title={hint}>
          <dt>{label}</dt>
          <dd>
            <span className={`kpi-value ${tone ?? ""}`}>{value}</span>
            {hint !== undefined && <span className="kpi-hint">{hint}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
