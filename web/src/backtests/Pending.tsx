import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { BacktestView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { percent } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { BACKTESTS } from "./queries";
import { isPending } from "./result";

/** Stop a run that waits or runs. */
export function useCancel() {
  const queries = useQueryClient();
  return useSending(async (id: string) => {
    await answered(api.POST("/api/v1/backtests/{backtest_id}/cancel", { params: { path: { backtest_id: id } } }));
    await queries.invalidateQueries({ queryKey: [...BACKTESTS] });
  });
}

/** A backtest without a result: how far it is, or why it has none. */
export function Pending({ backtest }: { backtest: BacktestView }) {
  const { send, isSending, failure } = useCancel();
  if (!isPending(backtest)) {
    return (
      <Pane title={backtest.status === "canceled" ? "Canceled" : "It failed"}>
        <p className={backtest.status === "failed" ? "danger" : "dim"}>
          {backtest.error || "It was stopped before it had a result."} {backtest.error_code !== "" && <code>{backtest.error_code}</code>}
        </p>
      </Pane>
    );
  }
  const said = backtest.status === "queued" ? "Waiting for a worker" : `Running, ${percent(backtest.progress, { digits: 0 })}`;
  return (
    <Pane title="Under way">
      <p role="status" className="run-progress">
        <progress value={backtest.progress} aria-label="Progress" /> {said}
      </p>
      <p>
        <Button variant="default" loading={isSending} onClick={() => void send(backtest.backtest_id)}>
          Cancel backtest
        </Button>
      </p>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
    </Pane>
  );
}
