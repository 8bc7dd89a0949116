import { useMemo } from "react";
import { NOT_APPLICABLE } from "../format/numbers";
import { columnsOf, instant, type PaneSpec, rowsOf } from "./layers";

const ROWS_MAX = 500;

/** The values of a chart, newest first. */
export default function ChartTable({ name, panes }: { name: string; panes: readonly PaneSpec[] }) {
  const rows = useMemo(() => rowsOf(panes), [panes]);
  const columns = useMemo(() => columnsOf(panes), [panes]);
  return (
    <>
      {rows.length > ROWS_MAX && (
        <p className="dim">
          The newest {ROWS_MAX} of {rows.length} rows; all are in the CSV.
        </p>
      )}
      <table className="table" aria-label={name}>
        <thead>
          <tr>
            <th>Time</th>
            {columns.map(({ id, label }) => (
              <th key={id} className="num">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS_MAX).map(({ at, values }) => (
            <tr key={at}>
              <td>{instant(at).replace("T", " ")}</td>
              {columns.map(({ id, write }) => {
                const value = values.get(id);
                return (
                  <td key={id} className="num">
                    {value === undefined ? NOT_APPLICABLE : write(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
