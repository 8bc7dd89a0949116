import type { UpkeepView, WindowView } from "../api/schema";
import { percent } from "../format/numbers";
import { type Column, DataTable } from "../tables/DataTable";
import { Looked } from "./Looked";
import { useWindows } from "./queries";
import { When } from "./When";

const WINDOWS: readonly Column<WindowView>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "window", head: "Window, UTC unless it says so", value: (row) => row.window, cell: (row) => <span className="mono">{row.window}</span> },
  { id: "open", head: "Now", value: (row) => (row.is_open ? "open" : "closed"), cell: (row) => (row.is_open ? <strong>open</strong> : "closed") },
  { id: "opens", head: "Opens", value: (row) => row.opens_at, cell: (row) => <When at={row.opens_at} /> },
  { id: "kept", head: "Upkeep", value: (row) => (row.is_chosen ? "by itself" : "by command") },
];

const RUNNING: readonly Column<UpkeepView>[] = [
  { id: "doing", head: "Doing", value: (row) => row.doing },
  { id: "instance", head: "Instance", value: (row) => row.instance },
  { id: "phase", head: "Phase", value: (row) => row.phase },
  { id: "share", head: "Of this phase", value: (row) => row.share, cell: (row) => percent(row.share, { digits: 0 }), isNumeric: true },
];

/** When upkeep may be done, and what is being done. */
export function Windows() {
  const query = useWindows();
  return (
    <>
      <Looked title="Maintenance windows" query={query} what="The windows" columns={7}>
        {(found) => <DataTable name="Windows" rows={found.windows} columns={WINDOWS} keyOf={(row) => row.service} />}
      </Looked>
      <Looked title="Upkeep that runs" query={query} what="The upkeep" columns={5} height={84}>
        {(found) => (
          <DataTable name="Upkeep" rows={found.running} columns={RUNNING} keyOf={(row) => `${row.instance} ${row.doing} ${row.phase}`} empty="None runs now." />
        )}
      </Looked>
    </>
  );
}
