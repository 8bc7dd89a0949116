import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { AccountView, KillStateView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { Reasoned } from "../forms/Reasoned";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useAccounts } from "../session/account";
import { useMissing } from "../session/needs";
import { mayAdminister, useRole } from "../session/session";
import { who } from "../session/who";
import { type Column, DataTable } from "../tables/DataTable";
import { bodyOf, EFFECT, keyOf, type Scope, SCOPE_LABEL, scopeOf, SCOPES, STATE_LABEL, STATES } from "./kills";
import { renew, useDeployments, useKillStates } from "./queries";

function Machine({ state }: { state: string }) {
  return (
    <span className="machine" role="img" aria-label={`State: ${STATE_LABEL[state] ?? state}`}>
      {STATES.map((one) => (
        <span key={one} className={one === state ? `is-here ${one === "normal" ? "" : "is-blocking"}` : ""}>
          {STATE_LABEL[one]}
        </span>
      ))}
    </span>
  );
}

/** The kill switch: what is blocked, by whom and why; engaging and releasing. */
export function KillSwitch({ account }: { account: AccountView }) {
  const kills = useKillStates();
  const accounts = useAccounts().data ?? [];
  const nameOf = (id: string) => accounts.find((one) => one.account_id === id)?.name ?? id.slice(-6);
  const missing = useMissing("administer");
  const [released, release] = useState<KillStateView | null>(null);
  const send = async (reason: string) => {
    if (released === null) return;
    await answered(api.POST("/api/v1/risk/release", { body: { ...bodyOf(released.scope, keyOf(released)), reason } }));
    await renew();
  };
  return (
    <>
      <Pane title="In force" isFlush columns={8} facts="automatic moves only go right">
        <Asked query={kills} what="Kill states">
          {({ current }) => (
            <table className="table">
              <thead>
                <tr>
                  <th>Scope</th>
                  <th>State</th>
                  <th>Why, by whom, since</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {current.every((one) => one.scope !== "firm") && (
                  <tr>
                    <td>Everything</td>
                    <td>
                      <Machine state="normal" />
                    </td>
                    <td className="dim">{EFFECT["normal"]}</td>
                    <td />
                  </tr>
                )}
                {current.map((one) => (
                  <tr key={`${one.scope} ${keyOf(one)}`}>
                    <td>{scopeOf(one, nameOf)}</td>
                    <td title={EFFECT[one.state]}>
                      <Machine state={one.state} />
                    </td>
                    <td className="wrap">
                      {one.reason} <span className="dim">({who(one.set_by)}, {moment(one.set_at)})</span>
                    </td>
                    <td className="num">
                      <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => release(one)}>
                        Release
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Asked>
      </Pane>
      <Engage account={account} />
      {kills.data !== undefined && <History kills={kills.data.history} nameOf={nameOf} />}
      <Reasoned
        opened={released !== null}
        title={`Release ${released === null ? "" : scopeOf(released, nameOf).toLowerCase()}`}
        verb="Release"
        isDangerous
        onConfirm={send}
        onClose={() => release(null)}
      >
        Orders pass again from the next one on, as limits and other blocks allow. Orders taken off do not come back.
      </Reasoned>
    </>
  );
}

function Engage({ account }: { account: AccountView }) {
  const [scope, choose] = useState<Scope>("account");
  const [state, move] = useState<string>("halted");
  const [key, name] = useState("");
  const [reason, why] = useState("");
  const [isAsked, ask] = useState(false);
  const deployments = useDeployments();
  const missingRole = useMissing("trade");
  const governs = mayAdminister(useRole());
  const target = scope === "account" ? account.account_id : key.trim();
  const label = scope === "account" ? `account ${account.name}` : scope === "firm" ? "everything" : `${scope} ${target}`;
  const missing =
    missingRole || (scope !== "firm" && target === "" ? "Name what to block first" : reason.trim() === "" ? "Say why first" : "");
  const scopes = SCOPES.map((value) => ({ value, label: SCOPE_LABEL[value], disabled: !governs && value !== "account" }));
  const send = async () => {
    await answered(api.POST("/api/v1/risk/kill", { body: { ...bodyOf(scope, target), state, reason: reason.trim() } }));
    why("");
    await renew();
  };
  return (
    <Pane title="Engage" columns={4}>
      <form
        className="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          if (missing === "") ask(true);
        }}
      >
        <div className="form-grid">
          <Select label="Scope" data={scopes} value={scope} onChange={(next) => choose((next ?? "account") as Scope)} />
          <Select label="State" data={STATES.slice(1).map((value) => ({ value, label: STATE_LABEL[value] ?? value }))} value={state} onChange={(next) => move(next ?? "halted")} />
          {scope === "strategy" && (
            <Select
              className="form-wide"
              label="Strategy"
              data={(deployments.data ?? []).map((one) => ({ value: one.deployment_id, label: `${one.symbol} ${one.status} (${one.deployment_id.slice(-6)})` }))}
              value={key === "" ? null : key}
              onChange={(next) => name(next ?? "")}
            />
          )}
          {(scope === "symbol" || scope === "venue" || scope === "user") && (
            <TextInput className="form-wide" label={scope === "user" ? "Id of the person" : scope === "symbol" ? "Symbol" : "Venue"} value={key} onChange={(event) => name(event.currentTarget.value)} />
          )}
        </div>
        <TextInput label="Reason" maxLength={500} value={reason} onChange={(event) => why(event.currentTarget.value)} />
        <p className="dim">{EFFECT[state]}</p>
        <div className="confirm-actions">
          <Button type="submit" className="is-danger" disabled={missing !== ""} title={missing}>
            Engage kill switch
          </Button>
        </div>
      </form>
      <Confirm
        opened={isAsked}
        title={`${STATE_LABEL[state] ?? state}: ${label}`}
        consequence={EFFECT[state]}
        verb="Engage"
        {...(scope === "firm" ? { word: "STOP" } : {})}
        onConfirm={send}
        onClose={() => ask(false)}
      />
    </Pane>
  );
}

function History({ kills, nameOf }: { kills: readonly KillStateView[]; nameOf: (id: string) => string }) {
  const columns: Column<KillStateView>[] = [
    { id: "epoch", head: "Epoch", value: (one) => one.epoch, isNumeric: true },
    { id: "at", head: "Set", value: (one) => moment(one.set_at) },
    { id: "scope", head: "Scope", value: (one) => scopeOf(one, nameOf) },
    { id: "state", head: "State", value: (one) => STATE_LABEL[one.state] ?? one.state },
    { id: "by", head: "By", value: (one) => who(one.set_by) },
    { id: "reason", head: "Reason", value: (one) => one.reason },
  ];
  return (
    <Pane title="History" isFlush facts="every change is an epoch; approvals from before one are void">
      <DataTable name="Kill states" rows={kills} columns={columns} keyOf={(one) => String(one.epoch)} order="-epoch" empty={<Empty>The kill switch was never used.</Empty>} />
    </Pane>
  );
}
