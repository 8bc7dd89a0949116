import { percent } from "../format/numbers";
import "./backtests.css";
import type { MonthlyYear } from "./result";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STRONGEST = 40;
const TEN_PERCENT = 0.1;

/** A share in a cell: one digit, none from ten percent on. */
export function cellText(share: number): string {
  return percent(share, { digits: Math.abs(share) >= TEN_PERCENT ? 0 : 1, isSigned: true }).replace(" %", "");
}

/** The tint of a cell: by direction, and the stronger the further from zero, never so much that text is hard to read. */
export function tint(value: number, strongest: number): React.CSSProperties {
  if (value === 0 || strongest === 0) return {};
  const share = Math.round((Math.abs(value) / strongest) * STRONGEST);
  return { background: `color-mix(in srgb, var(--${value > 0 ? "up" : "down"}) ${share}%, var(--bg1))` };
}

/** Returns by month and year, in percent. */
export function HeatMap({ years }: { years: readonly MonthlyYear[] }) {
  const known = years.flatMap((year) => year.months.filter((month) => month !== null));
  const strongest = Math.max(0, ...known.map(Math.abs));
  return (
    <table className="table heat" aria-label="Returns by month, in percent">
      <thead>
        <tr>
          <th>Year</th>
          {MONTHS.map((month) => (
            <th key={month} className="num">
              {month}
            </th>
          ))}
          <th className="num">Year</th>
        </tr>
      </thead>
      <tbody>
        {years.map(({ year, months, whole }) => (
          <tr key={year}>
            <th scope="row">{year}</th>
            {months.map((share, place) => (
              <td key={MONTHS[place]} className="num" style={share === null ? {} : tint(share, strongest)}>
                {share !== null && cellText(share)}
              </td>
            ))}
            <td className="num">
              <strong>{cellText(whole)}</strong>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
