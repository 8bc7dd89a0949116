import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { ScheduleView } from "../api/schema";
import { moment } from "../format/times";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { Choice } from "./Choice";
import "./notices.css";
import { useSchedule } from "./queries";

const HOUR_MS = 3_600_000;
const MUTES: readonly (readonly [string, string])[] = [["1", "1 hour"], ["4", "4 hours"], ["12", "12 hours"], ["24", "1 day"], ["168", "7 days"]];
export const ZONES: readonly (readonly [string, string])[] = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((one) => one !== "UTC")].map((one) => [one, one]);

/** When one is left alone by channels. */
export function QuietHours() {
  const schedule = useSchedule();
  return (
    <Pane title="Quiet hours" columns={6}>
      <Asked query={schedule} what="Quiet hours" height={140}>
        {(data) => <Hours key={JSON.stringify(data)} schedule={data} />}
      </Asked>
    </Pane>
  );
}

function Hours({ schedule }: { schedule: ScheduleView }) {
  const queries = useQueryClient();
  const [hours, setHours] = useState({ from: schedule.quiet_from, to: schedule.quiet_to, zone: schedule.time_zone });
  const [mute, setMute] = useState("4");
  const { send, isSending, failure } = useSending(async (next: ScheduleView) => {
    await answered(api.PUT("/api/v1/notifications/schedule", { body: next }));
    await queries.invalidateQueries({ queryKey: ["notices", "schedule"] });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send({ ...schedule, quiet_from: hours.from, quiet_to: hours.to, time_zone: hours.zone });
  };
  const until = schedule.muted_until;
  const isMuted = until != null && new Date(until).getTime() > Date.now();
  return (
    <div className="form-stack">
      <p className="dim" style={{ margin: 0 }}>
        What is not critical waits for their end. The inbox takes everything at once.
      </p>
      <form className="form-row" onSubmit={submit}>
        <TextInput label="From" type="time" w={110} value={hours.from} onChange={(event) => setHours({ ...hours, from: event.currentTarget.value })} />
        <TextInput label="To" type="time" w={110} value={hours.to} onChange={(event) => setHours({ ...hours, to: event.currentTarget.value })} />
        <Choice label="On the clock of" isLabelled of={ZONES} value={hours.zone} onChange={(zone) => setHours({ ...hours, zone })} />
        <Button type="submit" loading={isSending}>
          Save
        </Button>
        {schedule.quiet_from !== "" && (
          <Button variant="default" onClick={() => void send({ ...schedule, quiet_from: "", quiet_to: "" })}>
            No quiet hours
          </Button>
        )}
      </form>
      <div className="form-row">
        {isMuted ? (
          <>
            <span className="warn">Muted until {moment(until)}, but for what is critical.</span>
            <Button variant="default" onClick={() => void send({ ...schedule, muted_until: null })}>
              Unmute
            </Button>
          </>
        ) : (
          <>
            <Choice label="Mute for" isLabelled of={MUTES} value={mute} onChange={setMute} />
            <Button
              variant="default"
              onClick={() => void send({ ...schedule, muted_until: new Date(Date.now() + Number(mute) * HOUR_MS).toISOString() })}
            >
              Mute
            </Button>
          </>
        )}
      </div>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
    </div>
  );
}
