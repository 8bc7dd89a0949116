import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { ProfileView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { Choice } from "../notices/Choice";
import "../notices/notices.css";
import { ZONES } from "../notices/QuietHours";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { useProfile } from "./queries";

/** Name and time zone of the person who is signed in. */
export function Profile() {
  const profile = useProfile();
  return (
    <Pane title="Profile" columns={6}>
      <Asked query={profile} what="The profile" height={180}>
        {(data) => <Form key={data.version} profile={data} />}
      </Asked>
    </Pane>
  );
}

function Form({ profile }: { profile: ProfileView }) {
  const queries = useQueryClient();
  const [name, setName] = useState(profile.display_name);
  const [zone, setZone] = useState(profile.time_zone);
  const [isSaved, tell] = useState(false);
  const { send, isSending, failure } = useSending(async () => {
    const body = { version: profile.version, display_name: name, time_zone: zone, locale: null, preferences: null };
    queries.setQueryData(["profile"], await answered(api.PATCH("/api/v1/profile", { body })));
    tell(true);
  });
  const isSame = name === profile.display_name && zone === profile.time_zone;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  return (
    <form className="form-stack" onSubmit={submit}>
      <TextInput label="E-mail address" value={profile.email} readOnly description="You sign in by it." />
      <TextInput label="Name" value={name} maxLength={80} onChange={(event) => setName(event.currentTarget.value)} />
      <Choice label="Time zone" isLabelled of={ZONES} value={zone} onChange={setZone} />
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="form-row">
        <Button type="submit" loading={isSending} disabled={isSame} title={isSame ? "Nothing is changed" : ""}>
          Save profile
        </Button>
        <span role="status" className="dim">
          {isSaved && isSame ? "Saved" : ""}
        </span>
      </div>
    </form>
  );
}
