import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import "./forms.css";
import { useSending } from "./useSending";

interface ConfirmProps {
  opened: boolean;
  /** Verb and object: "Cancel 3 orders". */
  title: string;
  /** What follows from it. */
  consequence: ReactNode;
  /** What the button says: "Cancel orders". */
  verb: string;
  /** What has to be typed first; for what cannot be taken back alone. */
  word?: string;
  /** Whether it takes something away; most of what is asked about does. */
  isDangerous?: boolean;
  onConfirm: () => Promise<unknown>;
  /** Called when it is done, and when somebody goes back. */
  onClose: () => void;
}

/** Asks before something is done, stays with the reason where it fails, and closes once it is done. */
export function Confirm({ opened, title, onClose, ...rest }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={440} closeButtonProps={{ "aria-label": "Close" }}>
      <Question onClose={onClose} {...rest} />
    </Modal>
  );
}

function Question({ consequence, verb, word, isDangerous = true, onConfirm, onClose }: Omit<ConfirmProps, "opened" | "title">) {
  const [typed, type] = useState("");
  const { send, isSending, failure } = useSending(onConfirm);
  const isUntyped = word !== undefined && typed.trim() !== word;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isUntyped && (await send())) onClose();
  };
  return (
    <form className="confirm" onSubmit={(event) => void submit(event)}>
      <div>{consequence}</div>
      {word !== undefined && (
        <TextInput
          label={
            <>
              Type <code>{word}</code> to go on
            </>
          }
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          value={typed}
          onChange={(event) => type(event.currentTarget.value)}
        />
      )}
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={onClose} {...(word === undefined ? { "data-autofocus": true } : {})}>
          Back
        </Button>
        <Button
          type="submit"
          className={isDangerous ? "is-danger" : ""}
          loading={isSending}
          disabled={isUntyped}
          title={isUntyped ? `Type ${word} first` : ""}
        >
          {verb}
        </Button>
      </div>
    </form>
  );
}
