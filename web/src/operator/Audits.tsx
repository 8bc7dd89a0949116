import type { AuditView } from "../api/schema";
import { count } from "../format/numbers";
import { type Column, DataTable } from "../tables/DataTable";
import { Looked } from "./Looked";
import { useAudits } from "./queries";
import { When } from "./When";

const AUDITS: readonly Column<AuditView>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "sealed", head: "Sealed records", value: (row) => row.sealed, cell: (row) => count(row.sealed), isNumeric: true },
  { id: "sealed_at", head: "Last sealed", value: (row) => row.sealed_at, cell: (row) => <When at={row.sealed_at} /> },
  { id: "signed", head: "Signed records", value: (row) => row.signed, cell: (row) => count(row.signed), isNumeric: true },
  { id: "signed_at", head: "Last signed", value: (row) => row.signed_at, cell: (row) => <When at={row.signed_at} /> },
  {
    id: "unsealed",
    head: "Not sealed yet",
    value: (row) => row.unsealed,
    cell: (row) => <span className={row.unsealed > 0 ? "warn" : ""}>{count(row.unsealed)}</span>,
    isNumeric: true,
  },
  { id: "oldest", head: "Oldest of them", value: (row) => row.oldest_unsealed_at, cell: (row) => <When at={row.oldest_unsealed_at} /> },
];

/** How far the audit logs are sealed and signed. */
export function Audits() {
  const query = useAudits();
  return (
    <>
      <Looked title="Audit logs" query={query} what="The audit logs">
        {(found) => <DataTable name="Audit logs" rows={found.audits} columns={AUDITS} keyOf={(row) => row.service} />}
      </Looked>
      <p className="dim operator-note">
        This counts. Whether every record is still what was sealed, <code>alphintra audit verify</code> finds out: it hashes each one anew.
      </p>
    </>
  );
}
