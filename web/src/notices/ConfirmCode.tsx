import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { ChannelView } from "../api/schema";
import { useSending } from "../forms/useSending";

/** Takes the code that was sent to an e-mail address. */
export function ConfirmCode({ channel, onDone }: { channel: ChannelView; onDone: () => Promise<unknown> }) {
  const [opened, open] = useState(false);
  const [code, type] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    const params = { path: { channel_id: channel.channel_id } };
    await answered(api.POST("/api/v1/notifications/channels/{channel_id}/confirm", { params, body: { code } }));
    await onDone();
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await send()) open(false);
  };
  return (
    <>
      <Button size="compact-xs" h={22} onClick={() => open(true)}>
        Enter code
      </Button>{" "}
      <Modal opened={opened} onClose={() => open(false)} title={`Confirm ${channel.address}`} size={400} closeButtonProps={{ "aria-label": "Close" }}>
        <form className="confirm" onSubmit={(event) => void submit(event)}>
          <TextInput
            label="Code"
            description="Eight digits, sent to the address; it holds for an hour."
            autoComplete="one-time-code"
            inputMode="numeric"
            data-autofocus
            value={code}
            onChange={(event) => type(event.currentTarget.value)}
          />
          <p role="alert" className="danger form-failure">
            {failure}
          </p>
          <div className="confirm-actions">
            <Button variant="default" onClick={() => open(false)}>
              Back
            </Button>
            <Button type="submit" loading={isSending} disabled={code.trim() === ""} title={code.trim() === "" ? "Enter the code first" : ""}>
              Confirm address
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}
