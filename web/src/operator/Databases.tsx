import type { DatabasesView, InstanceView, ServiceDatabaseView, TableSizeView } from "../api/schema";
import { count } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { Empty } from "../panes/states";
import { useUrlText } from "../shell/urlState";
import { type Column, DataTable } from "../tables/DataTable";
import { bytes } from "./amounts";
import { Looked } from "./Looked";
import { useDatabases } from "./queries";
import { When } from "./When";

const DATABASES: readonly Column<ServiceDatabaseView>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "instance", head: "Instance", value: (row) => row.instance },
  { id: "database", head: "Database", value: (row) => row.database, cell: (row) => <span className="mono">{row.database}</span> },
  { id: "schema", head: "Schema", value: (row) => row.schema, cell: (row) => <span className="mono">{row.schema}</span>, isHidden: true },
  { id: "bytes", head: "Own tables", value: (row) => row.bytes, cell: (row) => bytes(row.bytes), isNumeric: true },
  { id: "database_bytes", head: "Database size", value: (row) => row.database_bytes, cell: (row) => bytes(row.database_bytes), isNumeric: true },
  { id: "connections", head: "Connections", value: (row) => row.connections, isNumeric: true },
  { id: "migrations", head: "Migrations", value: (row) => row.migrations, isNumeric: true },
  {
    id: "pending",
    head: "Pending",
    value: (row) => row.pending,
    cell: (row) => <span className={row.pending > 0 ? "danger" : ""}>{row.pending}</span>,
    isNumeric: true,
  },
  { id: "migrated_at", head: "Last applied", value: (row) => row.migrated_at, cell: (row) => <When at={row.migrated_at} /> },
  { id: "migration", head: "Last migration", value: (row) => row.migration, cell: (row) => <span className="mono">{row.migration.replace(/\.sql$/, "")}</span> },
];

const INSTANCES: readonly Column<InstanceView>[] = [
  { id: "name", head: "Instance", value: (row) => row.name },
  { id: "version", head: "PostgreSQL", value: (row) => row.version },
  { id: "own", head: "Run by", value: (row) => (row.is_own ? "this home" : "you") },
  { id: "started", head: "Started", value: (row) => row.started_at, cell: (row) => <When at={row.started_at} /> },
  { id: "connections", head: "Connections", value: (row) => row.connections, cell: (row) => `${row.connections} of ${row.connections_max}`, isNumeric: true },
];

const TABLES: readonly Column<TableSizeView>[] = [
  { id: "name", head: "Table", value: (row) => row.name, cell: (row) => <span className="mono">{row.name}</span> },
  { id: "bytes", head: "Size", value: (row) => row.bytes, cell: (row) => bytes(row.bytes), isNumeric: true },
  { id: "rows", head: "Rows, about", value: (row) => row.rows, cell: (row) => count(row.rows), isNumeric: true },
];

/** Where the data of each service lies, and how much it is. */
export function Databases() {
  const query = useDatabases();
  const [service, choose] = useUrlText("of");
  return (
    <>
      <Looked title={query.data ? `Databases, layout ${query.data.layout}` : "Databases"} query={query} what="The databases">
        {(found) => (
          <DataTable
            name="Databases"
            rows={found.databases}
            columns={DATABASES}
            keyOf={(row) => row.service}
            onOpen={(row) => choose(row.service)}
          />
        )}
      </Looked>
      <Largest found={query.data} service={service} />
      <Looked title="Instances" query={query} what="The instances" columns={6} height={84}>
        {(found) => <DataTable name="Instances" rows={found.instances} columns={INSTANCES} keyOf={(row) => row.name} />}
      </Looked>
    </>
  );
}

function Largest({ found, service }: { found: DatabasesView | undefined; service: string }) {
  const shown = found?.databases.find((one) => one.service === service);
  return (
    <Pane title={shown ? `Largest tables of ${shown.service}` : "Largest tables"} columns={6} isFlush>
      {shown === undefined ? (
        <Empty>Open a database above to see its largest tables.</Empty>
      ) : (
        <DataTable name="Tables" rows={shown.tables} columns={TABLES} keyOf={(row) => row.name} order="-bytes" />
      )}
    </Pane>
  );
}
