import { Button, CopyButton, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { FactorOffered, FactorView } from "../api/schema";
import { moment } from "../format/times";
import { useSending } from "../forms/useSending";
import "../notices/notices.css";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { useFactor } from "./queries";

/** The second factor: an authenticator app, and recovery codes for when it is lost. */
export function Factor() {
  const factor = useFactor();
  const [codes, setCodes] = useState<readonly string[]>([]);
  return (
    <Pane title="Second factor" columns={6}>
      <Asked query={factor} what="The second factor" height={140}>
        {(data) => {
          if (codes.length > 0) return <Codes codes={codes} onDone={() => setCodes([])} />;
          return data.confirmed_at == null ? <SetUp onCodes={setCodes} /> : <Kept factor={data} />;
        }}
      </Asked>
    </Pane>
  );
}

function SetUp({ onCodes }: { onCodes: (codes: readonly string[]) => void }) {
  const queries = useQueryClient();
  const [offered, setOffered] = useState<FactorOffered | null>(null);
  const [code, type] = useState("");
  const offer = useSending(async () => setOffered(await answered(api.POST("/api/v1/auth/second-factor"))));
  const confirm = useSending(async () => {
    const { recovery_codes } = await answered(api.POST("/api/v1/auth/second-factor/confirm", { body: { code } }));
    onCodes(recovery_codes);
    await queries.invalidateQueries({ queryKey: ["second-factor"] });
  });
  if (offered === null)
    return (
      <div className="form-stack">
        <p style={{ margin: 0 }}>Signing in asks for your password alone. With an authenticator app it asks for a code too.</p>
        <Failure of={offer.failure} />
        <div>
          <Button loading={offer.isSending} onClick={() => void offer.send()}>
            Set up an authenticator app
          </Button>
        </div>
      </div>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void confirm.send();
  };
  return (
    <form className="form-stack" onSubmit={submit}>
      <p style={{ margin: 0 }}>
        Enter this key into your authenticator app, or <a href={offered.uri}>open it there</a>. Then give the code the app shows.
      </p>
      <code className="once" aria-label="Key of the authenticator app">
        {offered.secret}
      </code>
      <TextInput
        label="Code of the app"
        autoComplete="one-time-code"
        inputMode="numeric"
        w={180}
        value={code}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <Failure of={confirm.failure} />
      <div className="form-row">
        <Button type="submit" loading={confirm.isSending} disabled={code.trim() === ""} title={code.trim() === "" ? "Enter the code first" : ""}>
          Turn on
        </Button>
        <Button variant="default" onClick={() => setOffered(null)}>
          Back
        </Button>
      </div>
    </form>
  );
}

function Codes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  return (
    <div className="form-stack">
      <p style={{ margin: 0 }}>
        The second factor is on. Keep these recovery codes: each signs you in once if the app is lost. They are shown this once.
      </p>
      <ul className="once mono" aria-label="Recovery codes" style={{ margin: 0, columns: 2 }}>
        {codes.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      <div className="form-row">
        <CopyButton value={codes.join("\n")}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onDone}>I have kept them</Button>
      </div>
    </div>
  );
}

function Kept({ factor }: { factor: FactorView }) {
  const queries = useQueryClient();
  const [code, type] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    await answered(api.POST("/api/v1/auth/second-factor/remove", { body: { code, user_id: null } }));
    await queries.invalidateQueries({ queryKey: ["second-factor"] });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const left = factor.recovery_codes_left;
  return (
    <form className="form-stack" onSubmit={submit}>
      <p style={{ margin: 0 }}>
        On since {moment(factor.confirmed_at)}. <span className={left < 3 ? "warn" : "dim"}>{left} recovery codes are left.</span>
      </p>
      <div className="form-row">
        <TextInput label="Code of the app, or a recovery code" w={240} autoComplete="one-time-code" value={code} onChange={(event) => type(event.currentTarget.value)} />
        <Button type="submit" variant="default" loading={isSending} disabled={code.trim() === ""} title={code.trim() === "" ? "Enter a code first" : ""}>
          Turn off
        </Button>
      </div>
      <Failure of={failure} />
    </form>
  );
}

function Failure({ of }: { of: string }) {
  return (
    <p role="alert" className="danger form-failure">
      {of}
    </p>
  );
}
