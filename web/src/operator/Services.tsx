import type { ProcessView, ServiceHealth } from "../api/schema";
import { useHealth } from "../api/health";
import { decimal, NOT_APPLICABLE } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { Kpis } from "../panes/Kpis";
import { type Column, DataTable } from "../tables/DataTable";
import { mebibytes } from "./amounts";
import { Looked } from "./Looked";
import { useProcesses } from "./queries";
import { When } from "./When";

const PROCESSES: readonly Column<ProcessView>[] = [
  { id: "name", head: "Process", value: (row) => row.name },
  {
    id: "phase",
    head: "State",
    value: (row) => row.phase,
    cell: (row) => <span className={row.phase === "ready" || row.phase === "finished" ? "" : "danger"}>{row.phase.replace("_", " ")}</span>,
  },
  { id: "since", head: "Since", value: (row) => row.since, cell: (row) => <When at={row.since} /> },
  {
    id: "restarts",
    head: "Restarts",
    value: (row) => row.restarts,
    cell: (row) => <span className={row.restarts > 0 ? "warn" : ""}>{row.restarts}</span>,
    isNumeric: true,
  },
  { id: "exit", head: "Last exit", value: (row) => row.last_exit, isNumeric: true },
  { id: "memory", head: "Memory", value: (row) => row.memory_kib, cell: (row) => mebibytes(row.memory_kib), isNumeric: true },
  { id: "services", head: "Services in it", value: (row) => row.services.join(", ") },
];

const HEALTH: readonly Column<ServiceHealth>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  {
    id: "status",
    head: "State",
    value: (row) => row.status,
    cell: (row) => (row.status === "ok" ? "Well" : <span className="danger">Down ({row.code})</span>),
  },
  { id: "database", head: "Database", value: (row) => row.database ?? null, cell: (row) => <span className="mono">{row.database ?? NOT_APPLICABLE}</span> },
  { id: "role", head: "Role", value: (row) => row.role ?? null, cell: (row) => <span className="mono">{row.role ?? NOT_APPLICABLE}</span> },
  {
    id: "latency",
    head: "Answer, ms",
    value: (row) => row.latency_ms ?? null,
    cell: (row) => decimal(row.latency_ms?.toFixed(1), { digits: 1 }),
    isNumeric: true,
  },
  { id: "months", head: "Months", value: (row) => row.months?.warning ?? "", cell: (row) => row.months?.warning || NOT_APPLICABLE },
];

/** Whether the services answer, and the processes they live in. */
export function Services() {
  const health = useHealth();
  const processes = useProcesses();
  return (
    <>
      {processes.data && (
        <Kpis
          of={[
            {
              label: "Platform",
              value: processes.data.phase,
              ...(processes.data.phase === "ready" ? {} : { tone: "danger" as const }),
            },
            { label: "Version", value: processes.data.version },
            { label: "Started", value: <When at={processes.data.started_at} /> },
            { label: "Restarts", value: processes.data.processes.reduce((sum, one) => sum + one.restarts, 0) },
            {
              label: "Memory",
              value: mebibytes(processes.data.processes.reduce((sum, one) => sum + (one.memory_kib ?? 0), processes.data.supervisor_kib)),
              hint: "pages that processes share are counted once",
            },
          ]}
        />
      )}
      <Pane title="Services" isFlush facts={health.data && `Alphintra ${health.data.version}`}>
        <Asked query={health} what="The health of the services" height={260}>
          {({ services }) => <DataTable name="Services" rows={services} columns={HEALTH} keyOf={(row) => row.service} />}
        </Asked>
      </Pane>
      <Looked title="Processes" query={processes} what="The processes">
        {(found) => <DataTable name="Processes" rows={found.processes} columns={PROCESSES} keyOf={(row) => row.name} />}
      </Looked>
    </>
  );
}
