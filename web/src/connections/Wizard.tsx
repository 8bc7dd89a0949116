import { Button, Modal, PasswordInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { AccountView, ConnectionView } from "../api/schema";
import { queries } from "../api/queries";
import { useSending } from "../forms/useSending";
import { money } from "../format/numbers";
import { renew as renewRisk } from "../risk/queries";
import { ACCOUNTS } from "../session/account";
import { useMissing } from "../session/needs";
import { of, renew, useCheck } from "./queries";
import { CREDENTIALS, given, lacking, rightsText, skewText, venueOf } from "./venues";

const STEPS = ["Choose", "Key", "Test", "Enable trading"] as const;
const SETTING_UP = "the connection is being set up";

interface WizardProps {
  /** Live accounts that have no venue yet. */
  waiting: readonly AccountView[];
  /** The connection a new key is for; null for a new one. */
  rotated: ConnectionView | null;
  onClose: () => void;
}

/** From nothing to a connection that trades, in four steps; or to a new key of one that does. */
export function Wizard({ waiting, rotated, onClose }: WizardProps) {
  const isNew = rotated === null || rotated.credentials_version === 0;
  const [step, go] = useState(rotated === null ? 0 : 1);
  const [accountId, choose] = useState(rotated?.account_id ?? "");
  return (
    <Modal opened onClose={onClose} title={isNew ? "Connect a broker" : `New key for ${venueOf(rotated)}`} size={560} closeButtonProps={{ "aria-label": "Close" }}>
      <ol className="steps">
        {STEPS.slice(0, isNew ? 4 : 3).map((one, index) => (
          <li key={one} {...(index === step ? { "aria-current": "step" as const } : {})}>
            {one}
          </li>
        ))}
      </ol>
      {step === 0 && (
        <Choose
          waiting={waiting}
          onDone={(id) => {
            choose(id);
            go(1);
          }}
        />
      )}
      {step === 1 && <Key accountId={accountId} known={rotated} isNew={isNew} onDone={() => go(2)} />}
      {step === 2 && <Test accountId={accountId} onBack={() => go(1)} onDone={() => (isNew ? go(3) : onClose())} verb={isNew ? "Next" : "Done"} />}
      {step === 3 && <Enable accountId={accountId} onClose={onClose} />}
    </Modal>
  );
}

function Choose({ waiting, onDone }: { waiting: readonly AccountView[]; onDone: (accountId: string) => void }) {
  const [chosen, choose] = useState(waiting[0]?.account_id ?? "");
  const [name, setName] = useState("");
  const [again, setAgain] = useState("");
  const [cash, setCash] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    if (chosen !== "") {
      onDone(chosen);
      return;
    }
    const body = { name: name.trim(), starting_cash: cash.trim(), feed_id: null, currency: "USD", mode: "live" as const, confirm: again.trim(), key: null };
    const opened = await answered(api.POST("/api/v1/accounts", { body }));
    await queries.invalidateQueries({ queryKey: ACCOUNTS });
    onDone(opened.account_id);
  });
  const missing = chosen !== "" ? "" : name.trim() === "" || cash.trim() === "" ? "Name and cash first" : again.trim() !== name.trim() ? "Write the name once more" : "";
  const accounts = [...waiting.map((one) => ({ value: one.account_id, label: one.name })), { value: "", label: "A new live account" }];
  return (
    <form
      className="confirm"
      onSubmit={(event) => {
        event.preventDefault();
        if (missing === "") void send();
      }}
    >
      <Select label="Live account" data={accounts} value={chosen} onChange={(next) => choose(next ?? "")} />
      {chosen === "" && (
        <>
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput label="The name once more: a live account trades money" value={again} onChange={(event) => setAgain(event.currentTarget.value)} />
          <TextInput label="Cash it holds at the venue now, USD" value={cash} onChange={(event) => setCash(event.currentTarget.value)} />
        </>
      )}
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
          Next
        </Button>
      </div>
    </form>
  );
}

interface KeyProps {
  accountId: string;
  known: ConnectionView | null;
  isNew: boolean;
  onDone: () => void;
}

function Key({ accountId, known, isNew, onDone }: KeyProps) {
  const [adapter, choose] = useState(known !== null && known.adapter !== "" ? known.adapter : "alpaca");
  const [exchange, name] = useState(known?.exchange ?? "");
  const [environment, turn] = useState(known !== null && known.environment !== "" ? known.environment : "paper");
  const [fields, write] = useState<Record<string, string>>({});
  const [confirm, setConfirm] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    const halt = { scope: "account", account_id: accountId, owner_id: null, book_id: null, venue: null, symbol: null, state: "halted", reason: SETTING_UP };
    if (isNew) await answered(api.POST("/api/v1/risk/kill", { body: halt }));
    const body = { adapter, environment, exchange: adapter === "ccxt" ? exchange.trim() : "", base_url: "", credentials: given(fields), confirm: confirm.trim() };
    await answered(api.PUT("/api/v1/accounts/{account_id}/connection", { ...of(accountId), body }));
    write({});
    await Promise.all([renew(), renewRisk()]);
    onDone();
  });
  const missing = lacking(adapter, fields) || (adapter === "ccxt" && exchange.trim() === "" ? "Name the exchange first" : environment === "live" && confirm.trim() !== "live" ? "Type live first" : "");
  return (
    <form
      className="confirm"
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (missing === "") void send();
      }}
    >
      <div className="form-grid">
        <Select label="Broker" data={[{ value: "alpaca", label: "Alpaca" }, { value: "ccxt", label: "Crypto exchange" }]} value={adapter} disabled={!isNew} onChange={(next) => choose(next ?? adapter)} />
        <Select label="Where" data={[{ value: "paper", label: "The venue's test system" }, { value: "live", label: "With money" }]} value={environment} disabled={!isNew} onChange={(next) => turn(next ?? environment)} />
        {adapter === "ccxt" && <TextInput label="Exchange" placeholder="kraken" value={exchange} disabled={!isNew} onChange={(event) => name(event.currentTarget.value)} />}
      </div>
      {(CREDENTIALS[adapter] ?? []).map((one) => {
        const given = { label: one.label, value: fields[one.name] ?? "", autoComplete: "off" };
        const change = (text: string) => write({ ...fields, [one.name]: text });
        return one.isSecret ? (
          <PasswordInput key={one.name} {...given} onChange={(event) => change(event.currentTarget.value)} />
        ) : (
          <TextInput key={one.name} {...given} onChange={(event) => change(event.currentTarget.value)} />
        );
      })}
      {environment === "live" && (
        <TextInput
          label={
            <>
              Orders on it cost money: type <code>live</code>
            </>
          }
          value={confirm}
          onChange={(event) => setConfirm(event.currentTarget.value)}
        />
      )}
      <p className="dim">The key is kept encrypted and never shown again but for its last four characters. Make one that cannot withdraw money: nothing here ever does, and one of which the venue says that it can is refused.</p>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
          Save key
        </Button>
      </div>
    </form>
  );
}

function Test({ accountId, onBack, onDone, verb }: { accountId: string; onBack: () => void; onDone: () => void; verb: string }) {
  const check = useCheck(accountId, true);
  const found = check.data;
  const isOk = found?.is_ok === true && !check.isFetching;
  return (
    <div className="confirm">
      <p role="status">
        {check.isFetching
          ? "Asking the venue for the account's cash; nothing is changed there."
          : found === undefined
            ? ""
            : found.is_ok
              ? `Reading works: ${money(found.cash)} there, ${found.latency_ms ?? "?"} ms, clock ${skewText(found.clock_skew_ms)}. Its rights: ${rightsText(found)}.`
              : ""}
      </p>
      <p role="alert" className="danger form-failure">
        {check.isFetching ? "" : check.error !== null ? check.error.message : found !== undefined && !found.is_ok ? `${found.detail} (${found.code})` : ""}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={onBack}>
          Another key
        </Button>
        <Button variant="default" loading={check.isFetching} onClick={() => void check.refetch()}>
          Test again
        </Button>
        <Button disabled={!isOk} title={isOk ? "" : "The venue has to answer first"} onClick={onDone}>
          {verb}
        </Button>
      </div>
    </div>
  );
}

function Enable({ accountId, onClose }: { accountId: string; onClose: () => void }) {
  const missing = useMissing("administer");
  const { send, isSending, failure } = useSending(async () => {
    const body = { scope: "account", account_id: accountId, owner_id: null, book_id: null, venue: null, symbol: null, reason: "the connection was tested" };
    await answered(api.POST("/api/v1/risk/release", { body }));
    await renewRisk();
    onClose();
  });
  return (
    <div className="confirm">
      <p>The account is halted since the key was added. Once enabled, orders go to the venue as soon as it is reconciled, as limits allow.</p>
      {missing !== "" && <p className="warn">{missing}. Until then nothing is traded.</p>}
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={onClose}>
          Leave it halted
        </Button>
        <Button className="is-danger" loading={isSending} disabled={missing !== ""} title={missing} onClick={() => void send()}>
          Enable trading
        </Button>
      </div>
    </div>
  );
}
