import { Button, Modal, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { BacktestView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { money } from "../format/numbers";
import { kindOf, useAccounts } from "../session/account";

/** Which paper account is to trade the strategy of a backtest, with how much of its cash. */
export function TradeOnPaper({ backtest, onClose }: { backtest: BacktestView; onClose: () => void }) {
  const { data: accounts = [] } = useAccounts();
  const paper = accounts.filter((account) => kindOf(account) === "PAPER" && account.status === "active");
  const [chosen, choose] = useState<string | null>(null);
  const account = paper.find((one) => one.account_id === chosen) ?? paper[0];
  const [capital, write] = useState("10000");
  const [startedAs, tell] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    const made = await answered(
      api.POST("/api/v1/deployments", {
        body: {
          version_id: backtest.version_id,
          account_id: account?.account_id ?? "",
          capital,
          confirm: "",
          feed_id: null,
          intrabar: "chronological",
          ...(backtest.symbols.length > 1 ? { symbol: "", symbols: backtest.symbols } : { symbol: backtest.symbol, symbols: [] }),
        },
      }),
    );
    tell(made.deployment_id);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const missing = account === undefined ? "There is no active paper account: open one in Portfolio" : "";
  return (
    <Modal opened onClose={onClose} title="Trade this on paper" size={460} closeButtonProps={{ "aria-label": "Close" }}>
      {startedAs === "" ? (
        <form className="confirm" onSubmit={submit}>
          <p className="dim">
            The version this backtest ran trades {backtest.symbols.join(", ")} from the next bar of the account's feed on, with made-up money.
            Parameters that a trial put in are not part of the version.
          </p>
          <Select
            label="Account"
            data={paper.map((one) => ({ value: one.account_id, label: `${one.name}, ${money(one.cash)} ${one.currency}` }))}
            value={account?.account_id ?? null}
            error={missing || undefined}
            onChange={choose}
          />
          <TextInput label="Capital" inputMode="decimal" required value={capital} onChange={(event) => write(event.currentTarget.value)} />
          <p role="alert" className="danger form-failure">
            {failure}
          </p>
          <div className="confirm-actions">
            <Button variant="default" onClick={onClose}>
              Back
            </Button>
            <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
              Start on paper
            </Button>
          </div>
        </form>
      ) : (
        <div className="confirm">
          <p role="status">
            It trades in {account?.name} as <code>{startedAs.slice(0, 8)}</code>, from the next bar on.
          </p>
          <div className="confirm-actions">
            <Button onClick={onClose}>Close</Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
