import { Button, Checkbox, CopyButton, Modal, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { ApiKeyCreated, ApiKeyView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { useSending } from "../forms/useSending";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useAccounts } from "../session/account";
import { renew, useKeys } from "./queries";

const SCOPES_OF: Record<string, readonly string[]> = { owner: ["read", "trade", "admin"], operator: ["read", "trade", "admin"], trader: ["read", "trade"], viewer: ["read"] };

interface KeysProps {
  userId: string;
  email: string;
  role: string;
  isOwn: boolean;
}

/** The API keys of one person; a secret is shown once. */
export function Keys({ userId, email, role, isOwn }: KeysProps) {
  const keys = useKeys(userId, isOwn);
  const [isMaking, make] = useState(false);
  const [revoked, revoke] = useState<ApiKeyView | null>(null);
  const send = async () => {
    if (revoked === null) return;
    await answered(api.DELETE("/api/v1/api-keys/{key_id}", { params: { path: { key_id: revoked.key_id } } }));
    await renew();
  };
  return (
    <Pane
      title={isOwn ? "Your API keys" : "API keys"}
      isFlush
     
      facts={email}
      actions={
        <Button variant="default" onClick={() => make(true)}>
          New key
        </Button>
      }
    >
      <Asked query={keys} what="API keys" isEmpty={(found) => found.length === 0} empty={<Empty>A key lets a program act within its scopes.</Empty>}>
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Name</th>
                <th>Key</th>
                <th>Scopes</th>
                <th>For</th>
                <th>From</th>
                <th>Made</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.key_id} className={one.revoked_at === null ? "" : "dim"}>
                  <td>{one.name}</td>
                  <td className="mono" title={one.key_id}>
                    …{one.key_id.slice(-4)}
                  </td>
                  <td>{one.scopes.join(", ")}</td>
                  <td>{`${one.mode.toUpperCase()}${one.account_id === null ? "" : `, account ${one.account_id.slice(-6)}`}`}</td>
                  <td>{one.addresses.length === 0 ? "anywhere" : one.addresses.join(", ")}</td>
                  <td>{moment(one.created_at)}</td>
                  <td className="num">
                    {one.revoked_at === null ? (
                      <Button variant="default" aria-label={`Revoke ${one.name}`} onClick={() => revoke(one)}>
                        Revoke
                      </Button>
                    ) : (
                      <span title={moment(one.revoked_at)}>revoked</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Modal opened={isMaking} onClose={() => make(false)} title={`New API key of ${email === "" ? "yours" : email}`} size={480} closeButtonProps={{ "aria-label": "Close" }}>
        <NewKey userId={userId} role={role} isOwn={isOwn} onClose={() => make(false)} />
      </Modal>
      <Confirm opened={revoked !== null} title={`Revoke ${revoked?.name ?? ""}`} consequence="Programs that use it are refused from now on; this cannot be taken back." verb="Revoke" onConfirm={send} onClose={() => revoke(null)} />
    </Pane>
  );
}

function NewKey({ userId, role, isOwn, onClose }: Omit<KeysProps, "email"> & { onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read"]);
  const [mode, setMode] = useState("paper");
  const [account, setAccount] = useState("");
  const [addresses, setAddresses] = useState("");
  const [made, tell] = useState<ApiKeyCreated | null>(null);
  const accounts = useAccounts();
  const { send, isSending, failure } = useSending(async () => {
    const body = {
      name: name.trim(),
      scopes,
      mode,
      user_id: isOwn ? null : userId,
      account_id: account === "" ? null : account,
      addresses: addresses.split(/[\s,]+/).filter(Boolean),
    };
    tell(await answered(api.POST("/api/v1/api-keys", { body })));
    await renew();
  });
  if (made !== null) return <Secret made={made} onClose={onClose} />;
  const missing = name.trim() === "" ? "Name it first" : scopes.length === 0 ? "Choose a scope first" : "";
  const choices = [{ value: "", label: `All ${mode} accounts` }, ...(accounts.data ?? []).filter((one) => one.mode === mode).map((one) => ({ value: one.account_id, label: one.name }))];
  return (
    <form
      className="confirm"
      onSubmit={(event) => {
        event.preventDefault();
        if (missing === "") void send();
      }}
    >
      <TextInput label="Name" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Checkbox.Group label="Scopes" value={scopes} onChange={setScopes}>
        <span className="row">
          {(SCOPES_OF[role] ?? ["read"]).map((scope) => (
            <Checkbox key={scope} size="xs" value={scope} label={scope} />
          ))}
        </span>
      </Checkbox.Group>
      <Select
        label="For"
        data={[
          { value: "paper", label: "PAPER" },
          { value: "live", label: "LIVE" },
        ]}
        value={mode}
        onChange={(next) => {
          setMode(next ?? mode);
          setAccount("");
        }}
      />
      {isOwn && <Select label="Account" data={choices} value={account} onChange={(next) => setAccount(next ?? "")} />}
      <TextInput label="Taken from these addresses alone" placeholder="anywhere" value={addresses} onChange={(event) => setAddresses(event.currentTarget.value)} />
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={onClose}>
          Back
        </Button>
        <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
          Make key
        </Button>
      </div>
    </form>
  );
}

function Secret({ made, onClose }: { made: ApiKeyCreated; onClose: () => void }) {
  return (
    <div className="confirm">
      <p>
        <strong>The secret is shown this once.</strong> Only its hash is kept: who loses it makes a new key.
      </p>
      <dl className="facts">
        <dt>Key</dt>
        <dd className="mono">{made.key_id}</dd>
        <dt>Secret</dt>
        <dd className="mono secret">{made.secret}</dd>
      </dl>
      <div className="confirm-actions">
        <CopyButton value={made.secret}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy secret"}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onClose}>I have kept it</Button>
      </div>
    </div>
  );
}
