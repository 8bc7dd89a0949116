import type { ConsumerView, OutboxView } from "../api/schema";
import { type Column, DataTable } from "../tables/DataTable";
import { Looked } from "./Looked";
import { useQueues } from "./queries";
import { When } from "./When";

function Waiting({ of }: { of: number }) {
  return <span className={of > 0 ? "warn" : ""}>{of}</span>;
}

const OUTBOXES: readonly Column<OutboxView>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "waiting", head: "Not published yet", value: (row) => row.waiting, cell: (row) => <Waiting of={row.waiting} />, isNumeric: true },
  { id: "oldest", head: "Oldest", value: (row) => row.oldest_at, cell: (row) => <When at={row.oldest_at} /> },
  { id: "attempts", head: "Most attempts", value: (row) => row.attempts_max, isNumeric: true },
];

const CONSUMERS: readonly Column<ConsumerView>[] = [
  { id: "consumer", head: "Consumer", value: (row) => row.consumer },
  { id: "producer", head: "Hears", value: (row) => row.producer },
  { id: "waiting", head: "Behind", value: (row) => row.waiting, cell: (row) => <Waiting of={row.waiting} />, isNumeric: true },
  { id: "unacknowledged", head: "At work", value: (row) => row.unacknowledged, isNumeric: true },
  { id: "redelivered", head: "Again", value: (row) => row.redelivered, cell: (row) => <Waiting of={row.redelivered} />, isNumeric: true },
  { id: "heard", head: "Last heard", value: (row) => row.heard_at, cell: (row) => <When at={row.heard_at} none="not since the start" /> },
];

/** What waits between the services. */
export function Queues() {
  const query = useQueues();
  return (
    <>
      <Looked title="Outboxes" query={query} what="The outboxes" columns={5}>
        {(found) => <DataTable name="Outboxes" rows={found.outboxes} columns={OUTBOXES} keyOf={(row) => row.service} />}
      </Looked>
      <Looked title="Consumers" query={query} what="The consumers" columns={7}>
        {(found) => <DataTable name="Consumers" rows={found.consumers} columns={CONSUMERS} keyOf={(row) => `${row.producer}.${row.consumer}`} />}
      </Looked>
    </>
  );
}
