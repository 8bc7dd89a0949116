import { Button, SegmentedControl } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answered, api } from "../api/client";
import type { MessageView } from "../api/schema";
import { ago, local, moment } from "../format/times";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { textOf, useUrlChoice, useUrlState } from "../shell/urlState";
import { Choice } from "./Choice";
import "./notices.css";
import { PAGE, SEVERITIES, useChannels, useMessages } from "./queries";

const SHOWN = ["all", "unread", "open"] as const;
const SHOWN_LABEL = { all: "All", unread: "Unread", open: "Not acknowledged" } as const;
const TICK_MS = 10_000;

/** The inbox: what a person was told, narrowed down, and taken care of. */
export function Inbox() {
  const [severity, setSeverity] = useUrlState<string>("severity", "", textOf);
  const [topic, setTopic] = useUrlState<string>("topic", "", textOf);
  const [show, setShow] = useUrlChoice("show", SHOWN, "all");
  const messages = useMessages({ severity, topic, show });
  const channels = useChannels();
  const queries = useQueryClient();
  const now = useNow();
  const { send, isSending, failure } = useSending(async (ids: string[]) => {
    await answered(api.POST("/api/v1/messages/acknowledge", { body: { message_ids: ids } }));
    await queries.invalidateQueries({ queryKey: ["messages"] });
  });
  const open = (messages.data?.messages ?? []).filter((one) => one.acknowledged_at == null);
  return (
    <Pane
      title="Inbox"
      isFlush
      facts={messages.data && `${messages.data.unread} unread`}
      actions={
        <Button
          variant="default"
          loading={isSending}
          disabled={open.length === 0}
          title={open.length === 0 ? "Everything shown is acknowledged" : ""}
          onClick={() => void send(open.map((one) => one.message_id))}
        >
          Acknowledge {open.length === 0 ? "all" : open.length} shown
        </Button>
      }
    >
      <div className="notices-tools" style={{ padding: "8px 12px", borderBottom: "1px solid var(--line)" }}>
        <SegmentedControl
          aria-label="Which messages"
          data={SHOWN.map((value) => ({ value, label: SHOWN_LABEL[value] }))}
          value={show}
          onChange={(next) => setShow(next)}
        />
        <Choice
          label="Severity"
          value={severity}
          onChange={setSeverity}
          of={[["", "Every severity"], ...SEVERITIES.slice(1).map((one): [string, string] => [one, one === "critical" ? "Critical" : "Warning and above"])]}
        />
        <Choice
          label="Topic"
          value={topic}
          onChange={setTopic}
          of={[["", "Every topic"], ...(channels.data?.topics ?? []).map((one): [string, string] => [one.topic, one.title])]}
        />
        <span role="alert" className="danger">
          {failure}
        </span>
      </div>
      <Asked
        query={messages}
        what="Messages"
        height={260}
        isEmpty={(data) => data.messages.length === 0}
        empty={<Empty>Fills, alerts and what else you should know of arrive here.</Empty>}
      >
        {(data) => (
          <>
            <div role="list" aria-label="Messages">
              {data.messages.map((one) => (
                <Notice key={one.message_id} message={one} now={now} onAcknowledge={() => void send([one.message_id])} />
              ))}
            </div>
            {data.messages.length === PAGE && <p className="state dim">The newest {PAGE} are shown: narrow down for others.</p>}
          </>
        )}
      </Asked>
    </Pane>
  );
}

const TONE: Record<string, string> = { critical: "danger", warning: "warn", info: "is-info" };

function Notice({ message, now, onAcknowledge }: { message: MessageView; now: number; onAcknowledge: () => void }) {
  const severity = message.severity.charAt(0).toUpperCase() + message.severity.slice(1);
  return (
    <div role="listitem" className={`notice ${message.read_at == null ? "is-unread" : ""}`}>
      <span className={`notice-severity ${TONE[message.severity] ?? ""}`}>{severity}</span>
      <span className="notice-title">{message.title}</span>
      <span className="notice-side">
        <time dateTime={message.created_at} title={`${moment(message.created_at)}, ${local(message.created_at)}`}>
          {ago(message.created_at, now)}
        </time>
        {message.acknowledged_at == null ? (
          <Button variant="default" size="compact-xs" h={22} onClick={onAcknowledge} aria-label={`Acknowledge: ${message.title}`}>
            Acknowledge
          </Button>
        ) : (
          <span title={moment(message.acknowledged_at)}>Acknowledged</span>
        )}
      </span>
      <p>{message.body}</p>
    </div>
  );
}

function useNow(): number {
  const [now, tell] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => tell(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
