import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { answered, api } from "../api/client";
import type { DownloadView } from "../api/schema";
import { RunStatus } from "../backtests/RunsTable";
import { useSending } from "../forms/useSending";
import { day, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import { DATASETS, DOWNLOADS, isPending, useDownloads } from "./queries";

const COLUMNS: Column<DownloadView>[] = [
  { id: "symbol", head: "Symbol", value: (row) => row.symbol },
  { id: "timeframe", head: "Interval", value: (row) => row.timeframe },
  { id: "source", head: "Source", value: (row) => row.source },
  { id: "span", head: "Range", value: (row) => row.start, cell: (row) => `${day(row.start)} to ${day(row.end)}` },
  { id: "status", head: "Status", value: (row) => row.status, cell: (row) => <RunStatus run={row} /> },
  { id: "rows", head: "Bars", isNumeric: true, value: (row) => row.rows },
  { id: "error", head: "Why not", value: (row) => row.error },
  { id: "created", head: "Started", value: (row) => row.created_at, cell: (row) => moment(row.created_at) },
];

/** What was fetched from public sources, and how far that is. */
export function Downloads() {
  const downloads = useDownloads();
  const queries = useQueryClient();
  const { send } = useSending(async (id: string) => {
    await answered(api.POST("/api/v1/downloads/{download_id}/cancel", { params: { path: { download_id: id } } }));
    await queries.invalidateQueries({ queryKey: [...DOWNLOADS] });
  });
  const arrived = downloads.data?.filter((one) => one.dataset_id !== null).length ?? 0;
  useEffect(() => void queries.invalidateQueries({ queryKey: [...DATASETS] }), [queries, arrived]);
  return (
    <Pane title="Downloads" isFlush>
      <Asked query={downloads} what="Downloads">
        {(rows) => (
          <DataTable
            name="Downloads"
            rows={rows}
            columns={COLUMNS}
            keyOf={(row) => row.download_id}
            order="-created"
            actions={(row) =>
              isPending(row) && (
                <Button size="compact-xs" variant="default" onClick={() => void send(row.download_id)}>
                  Cancel
                </Button>
              )
            }
            empty="Nothing was downloaded yet."
          />
        )}
      </Asked>
    </Pane>
  );
}
