import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import "./forms.css";
import { useSending } from "./useSending";

interface ReasonedProps {
  opened: boolean;
  /** Verb and object: "Lift the block". */
  title: string;
  /** What follows from it, and further fields. */
  children: ReactNode;
  verb: string;
  /** What is asked for: a reason, unless it is called otherwise. */
  label?: string;
  isOptional?: boolean;
  isDangerous?: boolean;
  onConfirm: (reason: string) => Promise<unknown>;
  onClose: () => void;
}

/** Asks why before something is done; the reason stays on record. */
export function Reasoned({ opened, title, onClose, ...rest }: ReasonedProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={440} closeButtonProps={{ "aria-label": "Close" }}>
      <Question onClose={onClose} {...rest} />
    </Modal>
  );
}

function Question({ children, verb, label = "Reason", isOptional = false, isDangerous = false, onConfirm, onClose }: Omit<ReasonedProps, "opened" | "title">) {
  const [reason, write] = useState("");
  const { send, isSending, failure } = useSending(() => onConfirm(reason.trim()));
  const isMissing = !isOptional && reason.trim() === "";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isMissing && (await send())) onClose();
  };
  return (
    <form className="confirm" onSubmit={(event) => void submit(event)}>
      <div>{children}</div>
      <TextInput label={label} maxLength={500} data-autofocus value={reason} onChange={(event) => write(event.currentTarget.value)} />
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={onClose}>
          Back
        </Button>
        <Button type="submit" className={isDangerous ? "is-danger" : ""} loading={isSending} disabled={isMissing} title={isMissing ? `${label} first` : ""}>
          {verb}
        </Button>
      </div>
    </form>
  );
}
