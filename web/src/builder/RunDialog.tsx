import "@mantine/core/styles/Pill.layer.css";
import "@mantine/core/styles/PillsInput.layer.css";
import { Button, Modal, MultiSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import "./dialogs.css";

export interface RunTerms {
  symbols: readonly string[];
  start: string;
  end: string;
  cash: string;
  fee: string;
  slippage: string;
}

export const USUAL_TERMS: RunTerms = { symbols: [], start: "", end: "", cash: "100000", fee: "5", slippage: "2" };

interface RunDialogProps {
  terms: RunTerms;
  symbols: readonly string[];
  /** What is going to run: "version 3", or "a new version, 4". */
  what: string;
  onRun: (terms: RunTerms) => Promise<void>;
  onClose: () => void;
}

const AMOUNT = /^\d{1,15}(\.\d{1,9})?$/;

/** On what a version is to run, and at which costs. */
export function RunDialog({ terms, symbols, what, onRun, onClose }: RunDialogProps) {
  const [now, change] = useState(terms);
  const [isSending, sending] = useState(false);
  const wrong = [now.cash, now.fee, now.slippage].some((text) => !AMOUNT.test(text));
  const why = now.symbols.length === 0 ? "Choose a symbol" : wrong ? "Cash and costs are plain numbers" : "";
  const set = (name: keyof RunTerms) => (event: { currentTarget: { value: string } }) => {
    const value = event.currentTarget.value;
    change((old) => ({ ...old, [name]: value }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (why !== "") return;
    sending(true);
    void onRun(now).finally(() => sending(false));
  };
  return (
    <Modal opened onClose={onClose} title={`Backtest ${what}`} size={460}>
      <form className="form-grid" onSubmit={submit}>
        <MultiSelect
          className="is-wide"
          label="Symbols"
          description="Several share the cash."
          size="xs"
          data={[...symbols]}
          value={[...now.symbols]}
          searchable
          data-autofocus
          onChange={(chosen) => change((old) => ({ ...old, symbols: chosen }))}
          comboboxProps={{ transitionProps: { duration: 0 } }}
        />
        <TextInput label="From" type="date" value={now.start} onChange={set("start")} />
        <TextInput label="To" type="date" value={now.end} onChange={set("end")} />
        <TextInput label="Cash" inputMode="decimal" value={now.cash} onChange={set("cash")} />
        <TextInput label="Fee, bps" inputMode="decimal" value={now.fee} onChange={set("fee")} />
        <TextInput label="Slippage, bps" inputMode="decimal" value={now.slippage} onChange={set("slippage")} />
        <div className="dialog-actions is-wide">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isSending} disabled={why !== ""} title={why}>
            Run
          </Button>
        </div>
      </form>
    </Modal>
  );
}
