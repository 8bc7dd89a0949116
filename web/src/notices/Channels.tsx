import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { ChannelView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { AddChannel } from "./AddChannel";
import { ConfirmCode } from "./ConfirmCode";
import "./notices.css";
import { useChannels } from "./queries";

const STATUS: Record<string, { text: string; tone: string; hint: string }> = {
  active: { text: "Active", tone: "", hint: "" },
  unconfirmed: { text: "Not confirmed", tone: "is-warn", hint: "Give the code that was sent to the address" },
  resting: { text: "Resting", tone: "is-danger", hint: "Messages were given up one after another: a test that arrives wakes it" },
};

/** E-mail addresses and webhooks: adding, confirming, testing, removing. */
export function Channels() {
  const channels = useChannels();
  const [isAdding, add] = useState(false);
  const [removed, remove] = useState<ChannelView | null>(null);
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ["notices"] });
  const { send, failure } = useSending(async (channelId: string) => {
    await answered(api.POST("/api/v1/notifications/channels/{channel_id}/test", { params: { path: { channel_id: channelId } } }));
    await again();
  });
  return (
    <Pane title="Channels" columns={6} isFlush actions={<Button onClick={() => add(true)}>Add a channel</Button>}>
      <p role="alert" className="danger form-failure" style={{ padding: failure === "" ? 0 : "8px 12px" }}>
        {failure}
      </p>
      <Asked
        query={channels}
        what="Channels"
        height={140}
        isEmpty={(data) => data.channels.length === 0}
        empty={<Empty>Messages can leave by e-mail and by webhook too.</Empty>}
      >
        {(data) => (
          <table className="table" aria-label="Channels">
            <thead>
              <tr>
                <th>Name</th>
                <th>Leads to</th>
                <th>State</th>
                <th>
                  <span className="hidden">What can be done</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.channels.map((one) => (
                <tr key={one.channel_id}>
                  <td>{one.name}</td>
                  <td className="wrap">{one.address}</td>
                  <td>
                    <span className={STATUS[one.status]?.tone === "" ? "" : `chip ${STATUS[one.status]?.tone ?? ""}`} title={STATUS[one.status]?.hint}>
                      {STATUS[one.status]?.text ?? one.status}
                    </span>
                  </td>
                  <td className="table-actions">
                    {one.status === "unconfirmed" && <ConfirmCode channel={one} onDone={again} />}
                    <Button variant="default" size="compact-xs" h={22} onClick={() => void send(one.channel_id)}>
                      {one.status === "unconfirmed" ? "Send another code" : "Send a test"}
                    </Button>{" "}
                    <Button variant="default" size="compact-xs" h={22} onClick={() => remove(one)}>
                      Remove
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <AddChannel opened={isAdding} mailFrom={channels.data?.mail_from ?? ""} onClose={() => add(false)} onAdded={again} />
      <Confirm
        opened={removed !== null}
        title={`Remove ${removed?.name ?? ""}`}
        consequence="Its rules and its secret are deleted, and what waits for it is withdrawn."
        verb="Remove channel"
        onConfirm={async () => {
          await answered(api.DELETE("/api/v1/notifications/channels/{channel_id}", { params: { path: { channel_id: removed?.channel_id ?? "" } } }));
          await again();
        }}
        onClose={() => remove(null)}
      />
    </Pane>
  );
}
