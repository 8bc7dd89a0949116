import { Button, Modal, PasswordInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { UserView } from "../api/schema";
import { Reasoned } from "../forms/Reasoned";
import { useSending } from "../forms/useSending";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { useRole, useSessionState } from "../session/session";
import { type Column, DataTable } from "../tables/DataTable";
import { renew, useUsers } from "./queries";

const ROLES: Record<string, string> = {
  owner: "everything, other owners too",
  operator: "everything but owners",
  trader: "own accounts: trade, connect, stop",
  viewer: "look at what is theirs, change nothing",
};

/** Everybody registered here. */
export function People({ opened, onOpen }: { opened: string; onOpen: (userId: string) => void }) {
  const users = useUsers(true);
  const role = useRole();
  const state = useSessionState();
  const own = state.kind === "in" || state.kind === "expired" ? state.session.user_id : "";
  const [turned, turn] = useState<UserView | null>(null);
  const send = async (reason: string) => {
    if (turned === null) return;
    const given = { params: { path: { user_id: turned.user_id } }, body: { reason } };
    await answered<unknown>(
      turned.disabled_at === null ? api.POST("/api/v1/users/{user_id}/disable", given) : api.POST("/api/v1/users/{user_id}/enable", given),
    );
    await renew();
  };
  const whyNot = (one: UserView): string => {
    if (one.user_id === own) return "Nobody disables themselves";
    return one.role === "owner" && role !== "owner" ? "Only an owner may do this to an owner" : "";
  };
  const columns: Column<UserView>[] = [
    { id: "email", head: "E-mail", value: (one) => one.email, cell: (one) => <span className={one.user_id === opened ? "chosen" : ""}>{one.email}</span> },
    { id: "role", head: "Role", value: (one) => one.role, cell: (one) => <span title={ROLES[one.role]}>{one.role}</span> },
    { id: "state", head: "State", value: (one) => (one.disabled_at === null ? "enabled" : "disabled"), cell: (one) => (one.disabled_at === null ? "enabled" : <span className="warn" title={moment(one.disabled_at)}>disabled</span>) },
    { id: "factor", head: "Second factor", value: (one) => (one.has_second_factor ? "on" : "off"), cell: (one) => (one.has_second_factor ? "on" : <span className="dim">off</span>) },
    { id: "sessions", head: "Sessions", value: (one) => one.sessions, isNumeric: true },
    { id: "keys", head: "API keys", value: (one) => one.keys, isNumeric: true },
    { id: "since", head: "Registered", value: (one) => moment(one.created_at) },
  ];
  return (
    <Pane title="People" isFlush>
      <Asked query={users} what="People">
        {(found) => (
          <DataTable
            name="People"
            rows={found}
            columns={columns}
            keyOf={(one) => one.user_id}
            onOpen={(one) => onOpen(one.user_id)}
            actions={(one) => (
              <Button
                variant="default"
                aria-label={`${one.disabled_at === null ? "Disable" : "Enable"} ${one.email}`}
                disabled={whyNot(one) !== ""}
                title={whyNot(one)}
                onClick={() => turn(one)}
              >
                {one.disabled_at === null ? "Disable" : "Enable"}
              </Button>
            )}
          />
        )}
      </Asked>
      <Reasoned
        opened={turned !== null}
        title={`${turned?.disabled_at === null ? "Disable" : "Enable"} ${turned?.email ?? ""}`}
        verb={turned?.disabled_at === null ? "Disable" : "Enable"}
        isDangerous={turned?.disabled_at === null}
        onConfirm={send}
        onClose={() => turn(null)}
      >
        {turned?.disabled_at === null
          ? `Their sessions end (${turned.sessions}) and their API keys are refused (${turned.keys}). Orders and strategies of theirs go on: stop those by the kill switch.`
          : "They can sign in again, and their API keys are taken again. Ended sessions stay ended."}
      </Reasoned>
    </Pane>
  );
}

/** Registering somebody. */
export function NewPerson({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const role = useRole();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [wanted, setRole] = useState("trader");
  const [done, tell] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    const made = await answered(api.POST("/api/v1/users", { body: { email, password, role: wanted } }));
    tell(`${made.email} is registered as ${made.role}.`);
    setEmail("");
    setPassword("");
    await renew();
  });
  const roles = Object.keys(ROLES).map((value) => ({ value, label: value, disabled: value === "owner" && role !== "owner" }));
  return (
    <Modal opened={opened} onClose={onClose} title="Register somebody" size={400} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          tell("");
          void send();
        }}
      >
        <TextInput label="E-mail" type="email" autoComplete="off" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        <PasswordInput label="First password" autoComplete="new-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
        <Select label="Role" data={roles} value={wanted} onChange={(next) => setRole(next ?? wanted)} />
        <p className="dim">{ROLES[wanted]}</p>
        <p role="alert" className="danger form-failure">
          {failure}
        </p>
        <p role="status">{done}</p>
        <div className="confirm-actions">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={isSending}>
            Register
          </Button>
        </div>
      </form>
    </Modal>
  );
}
