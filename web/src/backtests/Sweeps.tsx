import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { SweepView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { useUrlText } from "../shell/urlState";
import { type Column, DataTable } from "../tables/DataTable";
import { SWEEPS, useStrategyNames, useSweeps } from "./queries";
import { isPending } from "./result";
import { RunStatus } from "./RunsTable";
import { SweepResult } from "./SweepResult";

const KINDS: Record<string, string> = { sweep: "Sweep", walk_forward: "Walk-forward" };

function columnsOf(names: ReadonlyMap<string, string>): Column<SweepView>[] {
  return [
    { id: "strategy", head: "Strategy", value: (row) => names.get(row.workflow_id) ?? "Strategy no longer seen" },
    { id: "kind", head: "Kind", value: (row) => KINDS[row.kind] ?? row.kind },
    { id: "symbol", head: "Symbols", value: (row) => row.symbols.join(", ") },
    { id: "status", head: "Status", value: (row) => row.status, cell: (row) => <RunStatus run={row} /> },
    { id: "trials", head: "Trials", isNumeric: true, value: (row) => row.trials },
    { id: "unlocks", head: "Locked bars opened", isNumeric: true, value: (row) => row.unlocks },
    { id: "created", head: "Started", value: (row) => row.created_at, cell: (row) => moment(row.created_at) },
  ];
}

/** Every search over parameters, and what the one that is open found. */
export function Sweeps({ onNew }: { onNew: () => void }) {
  const sweeps = useSweeps();
  const names = useStrategyNames();
  const queries = useQueryClient();
  const [open, setOpen] = useUrlText("sweep");
  const { send } = useSending(async (id: string) => {
    await answered(api.POST("/api/v1/sweeps/{sweep_id}/cancel", { params: { path: { sweep_id: id } } }));
    await queries.invalidateQueries({ queryKey: [...SWEEPS] });
  });
  return (
    <>
      <Pane title="Searches over parameters" isFlush>
        <Asked query={sweeps} what="Searches" height={240}>
          {(rows) => (
            <DataTable
              name="Searches"
              rows={rows}
              columns={columnsOf(names)}
              keyOf={(row) => row.sweep_id}
              order="-created"
              selected={new Set(open === "" ? [] : [open])}
              onOpen={(row) => setOpen(row.sweep_id === open ? "" : row.sweep_id)}
              actions={(row) =>
                isPending(row) && (
                  <Button size="compact-xs" variant="default" onClick={() => void send(row.sweep_id)}>
                    Cancel
                  </Button>
                )
              }
              empty={
                <>
                  A search tries a strategy with other numbers, to see what depends on them.
                  <Button variant="default" onClick={onNew}>
                    New search
                  </Button>
                </>
              }
            />
          )}
        </Asked>
      </Pane>
      {open !== "" && <SweepResult sweepId={open} />}
    </>
  );
}
