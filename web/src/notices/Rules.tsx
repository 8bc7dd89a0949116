import { useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { Choice } from "./Choice";
import "./notices.css";
import { useChannels } from "./queries";

const LABELS: readonly (readonly [string, string])[] = [
  ["info", "Everything"],
  ["warning", "Warnings"],
  ["critical", "Critical"],
  ["off", "Off"],
];

/** From which severity on each topic leaves by each channel. */
export function Rules() {
  const channels = useChannels();
  const queries = useQueryClient();
  const { send, failure } = useSending(async (channelId: string, topic: string, severity: string) => {
    const params = { path: { channel_id: channelId } };
    await answered(api.PUT("/api/v1/notifications/channels/{channel_id}/rules", { params, body: { rules: { [topic]: severity } } }));
    await queries.invalidateQueries({ queryKey: ["notices", "channels"] });
  });
  return (
    <Pane title="Rules" isFlush facts="from which severity on; the inbox takes everything">
      <p role="alert" className="danger form-failure" style={{ padding: failure === "" ? 0 : "8px 12px" }}>
        {failure}
      </p>
      <Asked
        query={channels}
        what="Rules"
        height={260}
        isEmpty={(data) => data.channels.length === 0}
        empty={<Empty>Rules say what leaves by which channel. Add an e-mail address or a webhook first.</Empty>}
      >
        {(data) => (
          <table className="table rules" aria-label="Rules">
            <thead>
              <tr>
                <th>Topic</th>
                <th>Inbox</th>
                {data.channels.map((one) => (
                  <th key={one.channel_id}>{one.name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.topics.map((each) => (
                <tr key={each.topic}>
                  <td>{each.title}</td>
                  <td className="dim">Everything</td>
                  {data.channels.map((one) => (
                    <td key={one.channel_id}>
                      <Choice
                        label={`${each.title} by ${one.name}`}
                        of={LABELS}
                        value={one.rules[each.topic] ?? "warning"}
                        onChange={(next) => void send(one.channel_id, each.topic, next)}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
    </Pane>
  );
}
