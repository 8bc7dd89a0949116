import { Button, CopyButton, Modal, SegmentedControl, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { useSending } from "../forms/useSending";
import "./notices.css";

interface AddChannelProps {
  opened: boolean;
  /** Whom mail comes from; empty where no mail server is set. */
  mailFrom: string;
  onClose: () => void;
  onAdded: () => Promise<unknown>;
}

/** Adds a channel; the secret of a webhook is shown once. */
export function AddChannel({ opened, onClose, ...rest }: AddChannelProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Add a channel" size={480} closeButtonProps={{ "aria-label": "Close" }}>
      <Form onClose={onClose} {...rest} />
    </Modal>
  );
}

function Form({ mailFrom, onClose, onAdded }: Omit<AddChannelProps, "opened">) {
  const [kind, setKind] = useState(mailFrom === "" ? "webhook" : "email");
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  const [secret, setSecret] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    const added = await answered(api.POST("/api/v1/notifications/channels", { body: { kind, name, address } }));
    setSecret(added.secret);
    await onAdded();
    if (added.secret === "") onClose();
  });
  const isEmail = kind === "email";
  const missing = isEmail && mailFrom === "" ? "The operator has set no mail server" : name.trim() === "" || address === "" ? "Give a name and where it leads" : "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (missing === "") void send();
  };
  if (secret !== "") return <Secret secret={secret} onClose={onClose} />;
  return (
    <form className="confirm" onSubmit={submit}>
      <SegmentedControl
        aria-label="Kind of channel"
        data={[
          { value: "email", label: "E-mail" },
          { value: "webhook", label: "Webhook" },
        ]}
        value={kind}
        onChange={setKind}
      />
      {isEmail && mailFrom === "" && (
        <p className="warn" style={{ margin: 0 }}>
          No mail server is set: the operator writes smtp_url and smtp_from into alphintra.toml.
        </p>
      )}
      <TextInput label="Name" data-autofocus value={name} maxLength={64} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput
        label={isEmail ? "E-mail address" : "URL"}
        description={isEmail ? "A code is sent there first." : "https on port 443 or 8443, outside of this network."}
        placeholder={isEmail ? "ada@example.org" : "https://hooks.example.org/alphintra"}
        value={address}
        onChange={(event) => setAddress(event.currentTarget.value)}
      />
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={onClose}>
          Back
        </Button>
        <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
          Add channel
        </Button>
      </div>
    </form>
  );
}

function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <div className="confirm">
      <p style={{ margin: 0 }}>Calls are signed by this secret. It is shown this once: give it to the receiver now.</p>
      <code className="once">{secret}</code>
      <div className="confirm-actions">
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onClose}>Done</Button>
      </div>
    </div>
  );
}
