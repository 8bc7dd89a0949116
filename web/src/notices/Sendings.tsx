import type { ChannelView, SendingView } from "../api/schema";
import { local, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import { useChannels, useSendings } from "./queries";

const STATE: Record<string, string> = { due: "Waiting", delivered: "Delivered", given_up: "Given up", withdrawn: "Withdrawn" };
const TONE: Record<string, string> = { given_up: "danger", due: "warn" };
const PURPOSE: Record<string, string> = { test: "Test", code: "Code to confirm the address" };

function columnsFor(channels: readonly ChannelView[]): Column<SendingView>[] {
  const names = new Map(channels.map((one) => [one.channel_id, one.name]));
  return [
    {
      id: "time",
      head: "Time",
      value: (row) => row.created_at,
      cell: (row) => <span title={local(row.created_at)}>{moment(row.created_at)}</span>,
    },
    { id: "channel", head: "Channel", value: (row) => names.get(row.channel_id) ?? "Removed" },
    { id: "what", head: "What", value: (row) => (row.title === "" ? (PURPOSE[row.purpose] ?? row.purpose) : row.title) },
    {
      id: "state",
      head: "State",
      value: (row) => STATE[row.state] ?? row.state,
      cell: (row) => <span className={TONE[row.state] ?? ""}>{STATE[row.state] ?? row.state}</span>,
    },
    { id: "attempts", head: "Attempts", value: (row) => row.attempts, isNumeric: true },
    { id: "next", head: "Next attempt", value: (row) => (row.state === "due" ? row.due_at : null), cell: (row) => (row.state === "due" ? moment(row.due_at) : "—") },
    { id: "reason", head: "Last failure", value: (row) => (row.code === "" ? null : `${row.detail} (${row.code})`) },
    { id: "id", head: "Id", value: (row) => row.sending_id, isHidden: true },
  ];
}

/** What was and is to be sent by channels. */
export function Sendings() {
  const sendings = useSendings();
  const channels = useChannels();
  return (
    <Pane title="Delivery log" isFlush>
      <Asked
        query={sendings}
        what="The delivery log"
        height={200}
        isEmpty={(data) => data.sendings.length === 0}
        empty={<Empty>What leaves by channels is listed here, with what became of it.</Empty>}
      >
        {(data) => (
          <DataTable
            name="Deliveries"
            rows={data.sendings}
            columns={columnsFor(channels.data?.channels ?? [])}
            keyOf={(row) => row.sending_id}
            order="-time"
          />
        )}
      </Asked>
    </Pane>
  );
}
