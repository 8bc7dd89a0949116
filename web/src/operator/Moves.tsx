import type { ChangeOverView, MoveView } from "../api/schema";
import { count, percent } from "../format/numbers";
import { span } from "../format/times";
import { Empty } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import { bytes, tenth } from "./amounts";
import { Looked } from "./Looked";
import { useMoves } from "./queries";
import { When } from "./When";

const MOVES: readonly Column<MoveView>[] = [
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "step", head: "Step", value: (row) => row.step },
  { id: "doing", head: "Doing", value: (row) => row.doing, cell: (row) => row.doing || <span className="dim">no command works on it</span> },
  { id: "share", head: "Copied", value: (row) => row.share, cell: (row) => <Share of={row} /> },
  { id: "rows", head: "Rows", value: (row) => row.rows, cell: (row) => count(row.rows), isNumeric: true },
  { id: "bytes", head: "Bytes", value: (row) => row.bytes, cell: (row) => bytes(row.bytes), isNumeric: true },
  { id: "lag", head: "Lag", value: (row) => row.lag_bytes, cell: (row) => (row.lag_bytes === null ? "\u2014" : bytes(row.lag_bytes)), isNumeric: true },
  { id: "left", head: "Left", value: (row) => row.left_s, cell: (row) => (row.left_s === null ? "\u2014" : span(row.left_s * 1000)), isNumeric: true },
  { id: "told", head: "Told", value: (row) => row.told_at, cell: (row) => <When at={row.told_at} /> },
  { id: "source", head: "From", value: (row) => row.source },
  { id: "target", head: "To", value: (row) => row.target },
  { id: "pause", head: "Pause, ms", value: (row) => row.pause_ms, cell: (row) => tenth(row.pause_ms), isNumeric: true },
];

const HISTORY: readonly Column<ChangeOverView>[] = [
  { id: "at", head: "When", value: (row) => row.at, cell: (row) => <When at={row.at} /> },
  { id: "service", head: "Service", value: (row) => row.service },
  { id: "way", head: "Way", value: (row) => (row.is_back ? "back" : "forth") },
  { id: "source", head: "From", value: (row) => row.source },
  { id: "target", head: "To", value: (row) => row.target },
  { id: "rows", head: "Rows compared", value: (row) => row.rows, cell: (row) => count(row.rows), isNumeric: true },
  {
    id: "differences",
    head: "Tables that differed",
    value: (row) => row.differences,
    cell: (row) => <span className={row.differences > 0 ? "danger" : ""}>{row.differences}</span>,
    isNumeric: true,
  },
  { id: "pause", head: "Pause, ms", value: (row) => row.pause_ms, cell: (row) => tenth(row.pause_ms), isNumeric: true },
];

function Share({ of: { share, service } }: { of: MoveView }) {
  if (share === null) return "\u2014";
  return (
    <>
      <progress className="move-bar" value={share} max={1} aria-label={`Copy of ${service}`} /> {percent(share, { digits: 0 })}
    </>
  );
}

/** Services on their way to another place, and what earlier moves came to. */
export function Moves() {
  const query = useMoves();
  return (
    <>
      <Looked title={query.data?.to ? `Moves to ${query.data.to}` : "Moves"} query={query} what="The moves" height={84}>
        {(found) =>
          found.moves.length === 0 ? (
            <Empty>
              No service is being moved. <code>alphintra db migrate --to central --dry-run</code> shows what a move would do.
            </Empty>
          ) : (
            <DataTable name="Moves" rows={found.moves} columns={MOVES} keyOf={(row) => row.service} />
          )
        }
      </Looked>
      <Looked title="Earlier change-overs" query={query} what="The earlier change-overs" height={84}>
        {(found) => <DataTable name="Change-overs" rows={found.history} columns={HISTORY} keyOf={(row) => `${row.at} ${row.service}`} />}
      </Looked>
    </>
  );
}
