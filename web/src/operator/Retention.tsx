import type { RetentionRuleView, RetiredView } from "../api/schema";
import { count } from "../format/numbers";
import { day } from "../format/times";
import { type Column, DataTable } from "../tables/DataTable";
import { Kpis } from "../panes/Kpis";
import { Looked } from "./Looked";
import { useRetention } from "./queries";
import { When } from "./When";

const RULES: readonly Column<RetentionRuleView>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "table", head: "Table", value: (row) => row.table, cell: (row) => <span className="mono">{row.table}</span> },
  { id: "terms", head: "Kept", value: (row) => row.terms },
  { id: "way", head: "Then", value: (row) => (row.is_archived ? "archived" : "removed") },
  { id: "cutoff", head: "Due before", value: (row) => row.cutoff, cell: (row) => day(row.cutoff) },
  { id: "due", head: "Due", value: (row) => row.due, cell: (row) => <span className={row.due > 0 ? "warn" : ""}>{count(row.due)}</span>, isNumeric: true },
  { id: "held", head: "Held", value: (row) => row.held, cell: (row) => count(row.held), isNumeric: true },
  { id: "blocked", head: "Not at rest", value: (row) => row.blocked, cell: (row) => count(row.blocked), isNumeric: true },
];

const RETIRED: readonly Column<RetiredView>[] = [
  { id: "started", head: "Began", value: (row) => row.started_at, cell: (row) => <When at={row.started_at} /> },
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "table", head: "Table", value: (row) => row.table, cell: (row) => <span className="mono">{row.table}</span> },
  { id: "state", head: "State", value: (row) => row.state },
  { id: "rows", head: "Rows", value: (row) => row.rows, cell: (row) => count(row.rows), isNumeric: true },
  { id: "archive", head: "Archive", value: (row) => row.archive, cell: (row) => <span className="mono">{row.archive}</span> },
];

/** How long records are kept, what is due and what was done. */
export function Retention() {
  const query = useRetention();
  const holds = query.data?.holds.reduce((sum, one) => sum + one.holds, 0) ?? 0;
  return (
    <>
      {query.data && (
        <Kpis
          of={[
            { label: "Profile", value: query.data.profile },
            { label: "Rules with something due", value: query.data.rules.filter((one) => one.due > 0).length },
            { label: "Legal holds in force", value: holds },
          ]}
        />
      )}
      <Looked title="Rules" query={query} what="The rules">
        {(found) => <DataTable name="Rules" rows={found.rules} columns={RULES} keyOf={(row) => `${row.service} ${row.table} ${row.terms} ${row.cutoff}`} />}
      </Looked>
      <Looked title="Retired records" query={query} what="What retention did" height={84}>
        {(found) => (
          <DataTable
            name="Retired"
            rows={found.retired}
            columns={RETIRED}
            keyOf={(row) => `${row.service} ${row.table} ${row.started_at} ${row.archive}`}
            empty="Retention has not taken anything away yet: alphintra retention run does what is due."
          />
        )}
      </Looked>
    </>
  );
}
