import "@mantine/core/styles/Pill.layer.css";
import "@mantine/core/styles/PillsInput.layer.css";
import { Button, Modal, MultiSelect, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import type { AccountView, FeedView, WorkflowView } from "../api/schema";
import { money } from "../format/numbers";
import { reasonOf } from "../forms/useSending";
import { Asked } from "../panes/states";
import { kindOf, useAccounts } from "../session/account";
import { changed } from "./asking";
import { reasonsOf } from "./standing";
import "../builder/dialogs.css";

interface DeployProps {
  workflow: WorkflowView;
  isLive: boolean;
  onClose: () => void;
}

const AMOUNT = /^\d{1,15}(\.\d{1,9})?$/;

/** Lets the newest version of a strategy trade an account. A live one is meant: its name is typed, all reasons against it are told. */
export function DeployDialog({ workflow, isLive, onClose }: DeployProps) {
  const accounts = useAccounts();
  const feeds = useQuery({ queryKey: ["feeds"], queryFn: async () => (await answered(api.GET("/api/v1/feeds"))).feeds });
  return (
    <Modal
      opened
      onClose={onClose}
      title={isLive ? `Start ${workflow.name} live` : `Start ${workflow.name} on paper`}
      size={480}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Asked query={accounts} what="The accounts" height={160}>
        {(all) => (
          <Asked query={feeds} what="The feeds" height={160}>
            {(found) => <Terms workflow={workflow} isLive={isLive} accounts={all.filter((one) => (kindOf(one) === "LIVE") === isLive)} feeds={found} onClose={onClose} />}
          </Asked>
        )}
      </Asked>
    </Modal>
  );
}

function Terms({ workflow, isLive, accounts, feeds, onClose }: DeployProps & { accounts: readonly AccountView[]; feeds: readonly FeedView[] }) {
  const [chosen, choose] = useState("");
  const accountId = chosen !== "" ? chosen : (accounts[0]?.account_id ?? ""); // the first may be opened while this is open
  const [feedId, feed] = useState("");
  const [symbols, pick] = useState<readonly string[]>([]);
  const [capital, give] = useState("10000");
  const [confirm, type] = useState("");
  const [failure, fail] = useState<unknown>(null);
  const [isSending, sending] = useState(false);
  const account = accounts.find((one) => one.account_id === accountId);
  const usable = isLive ? feeds.filter((one) => one.source !== "") : feeds;
  const used = usable.find((one) => one.feed_id === (isLive ? feedId : account?.feed_id));
  if (accounts.length === 0) return isLive ? <p>There is no live account. Connections brings one.</p> : <NoAccount feeds={feeds} />;
  const why =
    account === undefined
      ? "Choose an account"
      : used === undefined
        ? "Choose a feed"
        : symbols.length === 0
          ? "Choose a symbol"
          : !AMOUNT.test(capital)
            ? "Capital is a plain number"
            : isLive && confirm !== account.name
              ? `Type ${account.name} first`
              : "";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (why !== "") return;
    sending(true);
    fail(null);
    const one = symbols.length === 1;
    const body = {
      version_id: workflow.version_id,
      account_id: accountId,
      symbol: one ? (symbols[0] ?? "") : "",
      symbols: one ? [] : [...symbols],
      capital,
      feed_id: isLive ? feedId : null,
      confirm: isLive ? confirm : "",
      intrabar: "chronological" as const,
    };
    try {
      await answered(api.POST("/api/v1/deployments", { body }));
      await changed();
      onClose();
    } catch (error) {
      fail(error);
    }
    sending(false);
  };
  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <p className="dim">Version {workflow.version} trades from the next bar of the feed on, with its own book.</p>
      <Select
        label={isLive ? "Live account" : "Paper account"}
        data={accounts.map((one) => ({ value: one.account_id, label: `${one.name}, ${money(one.cash)} ${one.currency}` }))}
        value={accountId}
        onChange={(next) => next !== null && choose(next)}
      />
      {isLive && (
        <Select label="Feed of live bars" data={usable.map((one) => ({ value: one.feed_id, label: `${one.name} (${one.source})` }))} value={feedId || null} placeholder={usable.length === 0 ? "There is none: make one under Markets" : "Choose"} onChange={(next) => next !== null && feed(next)} />
      )}
      <MultiSelect
        label="Symbols"
        description={used === undefined ? "Those of the feed." : `Those of the feed ${used.name}.`}
        size="xs"
        data={[...(used?.symbols ?? [])]}
        value={[...symbols]}
        searchable
        onChange={pick}
        comboboxProps={{ transitionProps: { duration: 0 } }}
      />
      <TextInput label="Capital" description="Claimed from the cash of the account." inputMode="decimal" value={capital} onChange={(event) => give(event.currentTarget.value)} />
      {isLive && account !== undefined && (
        <TextInput
          label={
            <>
              Real money: type <code>{account.name}</code> to go on
            </>
          }
          autoComplete="off"
          spellCheck={false}
          value={confirm}
          onChange={(event) => type(event.currentTarget.value)}
        />
      )}
      {failure !== null && <Why error={failure} />}
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose}>
          Back
        </Button>
        <Button type="submit" className={isLive ? "is-danger" : ""} loading={isSending} disabled={why !== ""} title={why}>
          {isLive ? "Start live" : "Start on paper"}
        </Button>
      </div>
    </form>
  );
}

/** Everything that stands against it, each reason in a line of its own. */
function Why({ error }: { error: unknown }) {
  const reasons = error instanceof ApiProblem && error.code === "DEPLOYMENT_UNFIT" ? reasonsOf(error.message) : [];
  return (
    <div role="alert" className="danger">
      {reasons.length === 0 ? (
        reasonOf(error)
      ) : (
        <>
          The venue cannot work this strategy (DEPLOYMENT_UNFIT):
          <ul className="differences">
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function NoAccount({ feeds }: { feeds: readonly FeedView[] }) {
  const [failure, fail] = useState("");
  const [isSending, sending] = useState(false);
  const accounts = useAccounts();
  const feed = feeds.find((one) => one.source === "") ?? feeds[0];
  const open = async () => {
    sending(true);
    try {
      const body = { name: "Paper", mode: "paper" as const, currency: "USD", starting_cash: "100000", feed_id: feed?.feed_id ?? null, confirm: "", key: null };
      await answered(api.POST("/api/v1/accounts", { body }));
      await accounts.refetch();
    } catch (error) {
      fail(reasonOf(error));
    }
    sending(false);
  };
  return (
    <div className="form">
      <p>
        You have no paper account yet.{" "}
        {feed === undefined ? "There is no price feed either: make one under Markets." : `One is opened with 100,000 USD on the feed ${feed.name}.`}
      </p>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="dialog-actions">
        <Button loading={isSending} disabled={feed === undefined} title={feed === undefined ? "There is no price feed" : undefined} onClick={() => void open()}>
          Open a paper account
        </Button>
      </div>
    </div>
  );
}
