import { useMemo } from "react";
import { DataTable } from "../tables/DataTable";
import { tableColumns, type PaneSpec, rowsOf } from "./layers";

/** The values of a chart, newest first. */
export default function ChartTable({ name, panes }: { name: string; panes: readonly PaneSpec[] }) {
  const rows = useMemo(() => rowsOf(panes), [panes]);
  const columns = useMemo(() => tableColumns(panes), [panes]);
  return <DataTable name={name} rows={rows} columns={columns} keyOf={(row) => String(row.at)} order="-at" />;
}
