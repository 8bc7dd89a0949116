import { Button } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { AccountView, ConnectionView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { Reasoned } from "../forms/Reasoned";
import { useSending } from "../forms/useSending";
import { money, NOT_APPLICABLE } from "../format/numbers";
import { ago, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { renew as renewRisk, useKillStates } from "../risk/queries";
import { useMissing } from "../session/needs";
import { of, renew, useCheck } from "./queries";
import { rightsText, skewText, STATUS, venueOf } from "./venues";

type Asked = "close" | "disable" | "enable" | null;

interface LiveCardProps {
  connection: ConnectionView;
  account: AccountView | undefined;
  onKey: () => void;
  isChosen: boolean;
  onChoose: () => void;
}

/** A connection of a live account: how it is, and what can be done with it. */
export function LiveCard({ connection, account, onKey, isChosen, onChoose }: LiveCardProps) {
  const id = connection.account_id;
  const missing = useMissing("trade");
  const missingAdmin = useMissing("administer");
  const hasKey = connection.credentials_version > 0 && connection.status !== "closed";
  const check = useCheck(id, hasKey && missing === "");
  const halted = useKillStates().data?.current.find((one) => one.scope === "account" && one.account_id === id);
  const [asked, ask] = useState<Asked>(null);
  const reconciling = useSending(async () => {
    await answered(api.POST("/api/v1/accounts/{account_id}/connection/reconcile", of(id)));
    await renew();
  });
  const move = async (reason: string) => {
    const body = { scope: "account", account_id: id, owner_id: null, book_id: null, venue: null, symbol: null, reason };
    if (asked === "enable") await answered(api.POST("/api/v1/risk/release", { body }));
    else await answered(api.POST("/api/v1/risk/kill", { body: { ...body, state: "halted" } }));
    await renewRisk();
  };
  const close = async () => {
    await answered(api.DELETE("/api/v1/accounts/{account_id}/connection", of(id)));
    await renew();
  };
  const isClosed = connection.status === "closed";
  const noKey = hasKey ? "" : isClosed ? "The connection is closed" : "Add a key first";
  const name = account?.name ?? id.slice(-6);
  return (
    <Pane title={name} columns={6} facts={<span className={`kind ${connection.environment === "live" ? "is-live" : ""}`}>{connection.environment === "live" ? "LIVE, money" : connection.environment === "paper" ? "LIVE account, venue's test system" : "LIVE"}</span>}>
      <Facts connection={connection} check={check} isHalted={halted !== undefined} />
      <p role="alert" className="danger form-failure">
        {reconciling.failure}
      </p>
      <div className="row">
        <Button variant="default" disabled={(missing || noKey) !== ""} title={missing || noKey} loading={check.isFetching} onClick={() => void check.refetch()}>
          Test
        </Button>
        <Button variant="default" disabled={(missing || noKey) !== ""} title={missing || noKey} loading={reconciling.isSending} onClick={() => void reconciling.send()}>
          Reconcile now
        </Button>
        <Button variant="default" disabled={missing !== "" || isClosed} title={isClosed ? "The connection is closed" : missing} onClick={onKey}>
          {connection.credentials_version === 0 ? "Add key" : "New key"}
        </Button>
        {halted === undefined ? (
          <Button variant="default" disabled={(missing || noKey) !== ""} title={missing || noKey} onClick={() => ask("disable")}>
            Disable trading
          </Button>
        ) : (
          <Button variant="default" disabled={missingAdmin !== ""} title={missingAdmin} onClick={() => ask("enable")}>
            Enable trading
          </Button>
        )}
        <Button variant="default" disabled={missing !== "" || isClosed} title={isClosed ? "It is closed" : missing} onClick={() => ask("close")}>
          Close
        </Button>
        <Button variant="default" aria-pressed={isChosen} onClick={onChoose}>
          Breaks and prices
        </Button>
      </div>
      <Confirm
        opened={asked === "close"}
        title={`Close the connection of ${name}`}
        consequence="For good: its key is deleted, orders are refused. It is refused while orders may work at the venue."
        verb="Close connection"
        word={name}
        onConfirm={close}
        onClose={() => ask(null)}
      />
      <Reasoned
        opened={asked === "disable" || asked === "enable"}
        title={`${asked === "enable" ? "Enable" : "Disable"} trading of ${name}`}
        verb={asked === "enable" ? "Enable trading" : "Disable trading"}
        isDangerous
        onConfirm={move}
        onClose={() => ask(null)}
      >
        {asked === "enable" ? "The account's kill switch is released: orders pass as limits allow." : "The account's kill switch is engaged: new orders are refused, working ones are taken off. The connection stays."}
      </Reasoned>
    </Pane>
  );
}

function Facts({ connection, check, isHalted }: { connection: ConnectionView; check: ReturnType<typeof useCheck>; isHalted: boolean }) {
  const state = STATUS[connection.status] ?? { label: connection.status, tone: "", effect: "" };
  const found = check.data;
  const key = connection.credentials_version === 0 ? "none" : `${connection.key_hint === "" ? "not shown" : `…${connection.key_hint}`} (number ${connection.credentials_version}, write-only)`;
  const last = found !== undefined && !found.is_ok ? `${found.detail} (${found.code})` : ["degraded", "expired"].includes(connection.status) ? connection.reason : "none";
  return (
    <dl className="card-facts">
      <dt>Venue</dt>
      <dd>{venueOf(connection)}</dd>
      <dt>State</dt>
      <dd>
        <span className={state.tone}>{state.label}</span> <span className="dim">since {moment(connection.changed_at)}{connection.reason === "" ? "" : `: ${connection.reason}`}. {state.effect}</span>
      </dd>
      <dt>Trading</dt>
      <dd>{isHalted ? <span className="danger">disabled by the kill switch</span> : "enabled"}</dd>
      <dt>Latency</dt>
      <dd>{found?.latency_ms == null ? NOT_APPLICABLE : `${found.latency_ms} ms there and back`} {found?.checked_at != null && <span className="dim" title={moment(found.checked_at)}>{ago(found.checked_at, Date.now())}</span>}</dd>
      <dt>Clock</dt>
      <dd className={Math.abs(found?.clock_skew_ms ?? 0) > 1000 ? "warn" : ""}>{found === undefined ? NOT_APPLICABLE : skewText(found.clock_skew_ms)}</dd>
      <dt>Cash there</dt>
      <dd>{money(found?.cash)}</dd>
      <dt>Key</dt>
      <dd>{key}</dd>
      <dt>Rights of the key</dt>
      <dd>
        Reading {found === undefined ? "not tested" : found.is_ok ? "works" : <span className="danger">fails</span>}; {rightsText(found)}
      </dd>
      <dt>Last compared</dt>
      <dd>
        {connection.reconciled_at == null ? "not yet" : moment(connection.reconciled_at)}{" "}
        {connection.reconciled_at != null && <span className="dim">{ago(connection.reconciled_at, Date.now())}</span>}
      </dd>
      <dt>Executions known until</dt>
      <dd>{moment(connection.seen_at)}</dd>
      <dt>Last error</dt>
      <dd className={last === "none" || last === "" ? "" : "warn"}>{last === "" ? "none" : last}</dd>
      {connection.capabilities !== null && (
        <>
          <dt>Takes</dt>
          <dd>
            {connection.capabilities.types.join(", ")}; {connection.capabilities.times_in_force.join(", ")}; {connection.capabilities.requests_per_minute} requests a minute
          </dd>
        </>
      )}
    </dl>
  );
}
