import { Button, Modal, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useSending } from "../forms/useSending";
import "../builder/dialogs.css";

interface NameDialogProps {
  title: string;
  name: string;
  verb: string;
  /** Intervals to choose from, where the name is of something that has one. */
  timeframes?: readonly string[];
  onDone: (name: string, timeframe: string) => Promise<unknown>;
  onClose: () => void;
}

/** Asks for a name. */
export function NameDialog({ title, name, verb, timeframes, onDone, onClose }: NameDialogProps) {
  const [typed, type] = useState(name);
  const [timeframe, choose] = useState("1d");
  const { send, isSending, failure } = useSending(onDone);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() !== "" && (await send(typed.trim(), timeframe))) onClose();
  };
  return (
    <Modal opened onClose={onClose} title={title} size={400} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <TextInput label="Name" value={typed} required maxLength={120} data-autofocus onChange={(event) => type(event.currentTarget.value)} />
        {timeframes !== undefined && <Select label="Timeframe" data={[...timeframes]} value={timeframe} onChange={(next) => next !== null && choose(next)} />}
        <p role="alert" className="danger form-failure">
          {failure}
        </p>
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Back
          </Button>
          <Button type="submit" loading={isSending} disabled={typed.trim() === ""} title={typed.trim() === "" ? "Give it a name" : undefined}>
            {verb}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
