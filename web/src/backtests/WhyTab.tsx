import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { BacktestView } from "../api/schema";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import "./backtests.css";
import { type Denial, resultOf } from "./result";

const BLOCKS: Column<Denial>[] = [
  { id: "ts", head: "Time", value: (row) => row.ts, cell: (row) => moment(row.ts) },
  { id: "symbol", head: "Symbol", value: (row) => row.symbol ?? null, isHidden: true },
  { id: "order", head: "Order", value: (row) => row.client_order_id },
  { id: "code", head: "Denied by", value: (row) => row.findings[0]?.code ?? null },
  { id: "why", head: "Why", value: (row) => row.findings.map((one) => one.detail ?? one.message ?? one.code).join("; ") },
];

interface WhyTabProps {
  backtest: BacktestView;
  /** The bar asked about; empty for none. */
  at: string;
  onAt: (at: string) => void;
}

/** Why it traded or did not on a bar, and every order that was denied. */
export function WhyTab({ backtest, at, onAt }: WhyTabProps) {
  const result = resultOf(backtest);
  return (
    <>
      <Pane title="Why on this bar" facts="the first bar that closed then or later">
        <BarForm key={at} at={at} onAt={onAt} />
        {at === "" ? <Empty>Click a bar of the chart, or write a time.</Empty> : <Explained backtest={backtest} at={at} />}
      </Pane>
      <Pane title="Orders that were denied" isFlush>
        <DataTable name="Denied orders" rows={result.denials} columns={BLOCKS} keyOf={(row) => `${row.client_order_id}${row.ts}`} order="-ts" empty="No order was denied." />
      </Pane>
    </>
  );
}

function BarForm({ at, onAt }: { at: string; onAt: (at: string) => void }) {
  const [text, write] = useState(at);
  const isWrong = text !== "" && Number.isNaN(new Date(text).getTime());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isWrong && text !== "") onAt(new Date(text).toISOString());
  };
  return (
    <form className="state-row" onSubmit={submit}>
      <TextInput
        aria-label="Time, UTC"
        placeholder="2012-05-01T20:00:00Z"
        w={220}
        value={text}
        error={isWrong ? "Write it as 2012-05-01T20:00:00Z" : undefined}
        onChange={(event) => write(event.currentTarget.value)}
      />
      <Button type="submit" variant="default">
        Explain
      </Button>
    </form>
  );
}

function Explained({ backtest, at }: { backtest: BacktestView; at: string }) {
  const why = useQuery({
    queryKey: ["backtests", backtest.backtest_id, "why", at],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => answered(api.GET("/api/v1/backtests/{backtest_id}/why", { params: { path: { backtest_id: backtest.backtest_id }, query: { at } } })),
  });
  return (
    <Asked query={why} what="The explanation" height={200}>
      {({ bar_ts, outcome, sentences, symbol }) => (
        <>
          <p style={{ margin: "12px 0 8px" }}>
            <strong>
              {symbol}, bar of {moment(bar_ts)}: {outcome.replaceAll("_", " ")}
            </strong>
          </p>
          <ul className="why-list">
            {sentences.map((one, place) => (
              <li key={place} style={{ paddingLeft: one.depth * 20 }} className={one.depth > 0 ? "dim" : ""}>
                {one.text}
              </li>
            ))}
          </ul>
        </>
      )}
    </Asked>
  );
}
