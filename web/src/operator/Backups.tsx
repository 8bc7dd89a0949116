import type { BackupJobView, BackupProofView, BackupView } from "../api/schema";
import { count } from "../format/numbers";
import { Empty } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import { bytes, tenth } from "./amounts";
import { Looked } from "./Looked";
import { useBackups } from "./queries";
import { When } from "./When";

const STATES: Readonly<Record<string, string>> = { failed: "danger", cut: "warn", none: "dim" };

const JOBS: readonly Column<BackupJobView>[] = [
  { id: "kind", head: "Job", value: (row) => row.kind },
  { id: "of", head: "Of", value: (row) => row.of },
  { id: "schedule", head: "Schedule", value: (row) => row.schedule, cell: (row) => <span className="mono">{row.schedule}</span> },
  {
    id: "state",
    head: "Last time",
    value: (row) => row.state,
    cell: (row) => <span className={STATES[row.state] ?? ""}>{row.state === "none" ? "not yet" : row.state}</span>,
  },
  { id: "began", head: "Began", value: (row) => row.began_at, cell: (row) => <When at={row.began_at} /> },
  { id: "next", head: "Next", value: (row) => row.next_at, cell: (row) => <When at={row.next_at} /> },
  { id: "backup", head: "Made", value: (row) => row.backup, cell: (row) => <span className="mono">{row.backup}</span> },
  { id: "detail", head: "What failed", value: (row) => `${row.code} ${row.detail}`.trim(), cell: (row) => <span className="danger">{`${row.code} ${row.detail}`.trim()}</span> },
];

const BACKUPS: readonly Column<BackupView>[] = [
  { id: "of", head: "Of", value: (row) => row.of },
  { id: "backup", head: "Newest", value: (row) => row.backup, cell: (row) => <span className="mono">{row.backup}</span> },
  { id: "kind", head: "Kind", value: (row) => row.kind },
  { id: "ended", head: "Until", value: (row) => row.ended_at, cell: (row) => <When at={row.ended_at} /> },
  { id: "bytes", head: "Stored", value: (row) => row.stored_bytes, cell: (row) => bytes(row.stored_bytes), isNumeric: true },
  { id: "count", head: "Kept", value: (row) => row.count, isNumeric: true },
];

const PROOFS: readonly Column<BackupProofView>[] = [
  { id: "of", head: "Of", value: (row) => row.of },
  { id: "backup", head: "Backup", value: (row) => row.backup, cell: (row) => <span className="mono">{row.backup}</span> },
  { id: "at", head: "Restored", value: (row) => row.at, cell: (row) => <When at={row.at} /> },
  {
    id: "sound",
    head: "Result",
    value: (row) => (row.is_sound ? "sound" : row.detail),
    cell: (row) => (row.is_sound ? "sound" : <span className="danger">{row.detail}</span>),
  },
  { id: "rows", head: "Rows read", value: (row) => row.rows, cell: (row) => count(row.rows), isNumeric: true },
  { id: "seconds", head: "Seconds", value: (row) => row.seconds, cell: (row) => tenth(row.seconds), isNumeric: true },
];

/** What is backed up when, what there is, and what was restored for real. */
export function Backups() {
  const query = useBackups();
  if (query.data?.target === "") {
    return (
      <Looked title="Backups" query={query} what="The backups" height={84}>
        {() => (
          <Empty>
            No place for backups is set: write <code>[backup]</code> and <code>target = &quot;/a/folder&quot;</code> into alphintra.toml, then{" "}
            <code>alphintra down</code> and <code>alphintra up</code>.
          </Empty>
        )}
      </Looked>
    );
  }
  return (
    <>
      <Looked title={query.data ? `Scheduled, to ${query.data.target}` : "Scheduled"} query={query} what="The backups" height={120}>
        {(found) => <DataTable name="Jobs" rows={found.jobs} columns={JOBS} keyOf={(row) => `${row.kind} ${row.of}`} empty="Nothing is scheduled." />}
      </Looked>
      <Looked title="Newest backups" query={query} what="The backups" columns={6} height={120}>
        {(found) => <DataTable name="Backups" rows={found.backups} columns={BACKUPS} keyOf={(row) => row.of} />}
      </Looked>
      <Looked title="Restored for real" query={query} what="What was restored" columns={6} height={120}>
        {(found) => (
          <DataTable name="Proofs" rows={found.proofs} columns={PROOFS} keyOf={(row) => row.of} empty="No backup was restored to prove it yet: alphintra backup verify does." />
        )}
      </Looked>
    </>
  );
}
