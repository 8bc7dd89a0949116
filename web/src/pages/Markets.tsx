import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { DatasetView } from "../api/schema";
import "../backtests/backtests.css";
import { useSending } from "../forms/useSending";
import { count } from "../format/numbers";
import { day } from "../format/times";
import { AddBars } from "../markets/AddBars";
import { Chart } from "../markets/Chart";
import { Coverage } from "../markets/Coverage";
import { Downloads } from "../markets/Downloads";
import { DOWNLOADS, isFetched, useCatalogue } from "../markets/queries";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { useRole } from "../session/session";
import { textOf, useUrlState, useUrlText } from "../shell/urlState";
import { type Column, DataTable } from "../tables/DataTable";

const COLUMNS: Column<DatasetView>[] = [
  { id: "symbol", head: "Symbol", value: (row) => row.symbol },
  { id: "timeframe", head: "Interval", value: (row) => row.timeframe },
  { id: "rows", head: "Bars", isNumeric: true, value: (row) => row.rows, cell: (row) => count(row.rows) },
  { id: "first", head: "From", value: (row) => row.first_ts, cell: (row) => day(row.first_ts) },
  { id: "last", head: "To", value: (row) => row.last_ts, cell: (row) => day(row.last_ts) },
  { id: "source", head: "Source", value: (row) => row.source },
  { id: "odd", head: "Odd", isNumeric: true, value: (row) => row.issues.reduce((sum, issue) => sum + issue.count, 0) },
  { id: "splits", head: "Splits", isNumeric: true, value: (row) => row.splits.length, isHidden: true },
  { id: "dividends", head: "Dividends", isNumeric: true, value: (row) => row.dividends.length, isHidden: true },
  { id: "licence", head: "Licence", value: (row) => row.licence, isHidden: true },
  { id: "imported", head: "Imported", value: (row) => row.imported_at, cell: (row) => day(row.imported_at), isHidden: true },
];

/** The bars there are: what they look like, how much of them is missing, and ways to more. */
export default function Markets() {
  const catalogue = useCatalogue();
  const [chosen, choose] = useUrlText("symbol");
  const [gap, show] = useUrlState<string>("gap", "", textOf);
  const [isAdding, add] = useState(false);
  const why = useRole() === "viewer" ? "Viewers add nothing: ask for the role of a trader" : "";
  const rows = catalogue.data ?? [];
  const symbol = rows.find((row) => row.symbol === chosen)?.symbol ?? rows[0]?.symbol ?? "";
  const pick = (next: string) => {
    choose(next);
    show("");
  };
  return (
    <div className="page">
      <div className="page-title">
        <h1>Markets</h1>
        <span className="dim">{catalogue.data !== undefined && `${count(rows.length)} ${rows.length === 1 ? "symbol" : "symbols"} in the catalogue`}</span>
        <span className="page-actions">
          <Button leftSection={<Plus size={14} aria-hidden />} disabled={why !== ""} title={why} onClick={() => add(true)}>
            Add bars
          </Button>
        </span>
      </div>
      {symbol !== "" && (
        <>
          <Pane title={symbol} columns={8} facts="adjusted for splits">
            <Chart symbol={symbol} focus={gap === "" ? null : Number(gap)} />
          </Pane>
          <Coverage key={symbol} symbol={symbol} onShow={(at) => show(String(at))} />
        </>
      )}
      <Pane title="Watch list" isFlush>
        <Asked query={catalogue} what="The catalogue" height={240}>
          {(found) => (
            <DataTable
              name="Symbols"
              rows={found}
              columns={COLUMNS}
              keyOf={(row) => row.symbol}
              order="symbol"
              selected={new Set([symbol])}
              onOpen={(row) => pick(row.symbol)}
              actions={(row) => <Backfill dataset={row} why={why} />}
              empty="There are no bars yet: add a file, download some, or start with --sample."
            />
          )}
        </Asked>
      </Pane>
      <Downloads />
      {isAdding && <AddBars onClose={() => add(false)} />}
    </div>
  );
}

/** Fetch on from where the bars of a public source end. */
function Backfill({ dataset, why }: { dataset: DatasetView; why: string }) {
  const queries = useQueryClient();
  const { send, isSending, failure } = useSending(async () => {
    const { source, symbol, timeframe, licence } = dataset;
    await answered(api.POST("/api/v1/downloads", { body: { source, symbol, timeframe, start: null, end: null, licence } }));
    await queries.invalidateQueries({ queryKey: [...DOWNLOADS] });
  });
  const cannot = why || (isFetched(dataset.source) ? "" : "These came from a file: import a newer one");
  return (
    <Button size="compact-xs" variant="default" loading={isSending} disabled={cannot !== ""} title={failure || cannot || "Fetch what came since"} onClick={() => void send()}>
      Backfill
    </Button>
  );
}
