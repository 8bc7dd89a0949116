import { Button, Drawer, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { ActionView, CaseView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { price, quantity } from "../format/numbers";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { Needs } from "../session/needs";
import { who } from "../session/who";
import { type Column, DataTable } from "../tables/DataTable";
import { Detectors } from "./Detectors";
import { renew, RISK, useCases } from "./queries";

const OUTCOMES = ["false_positive", "explained", "reported"];

/** Cases of market surveillance and the detectors that open them. */
export function Surveillance() {
  return (
    <Needs need="administer" what="Cases of surveillance">
      <Cases />
      <Detectors />
    </Needs>
  );
}

function Cases() {
  const cases = useCases(true);
  const [opened, open] = useState<string | null>(null);
  const columns: Column<CaseView>[] = [
    { id: "opened", head: "Opened", value: (one) => moment(one.opened_at) },
    { id: "detector", head: "Detector", value: (one) => one.detector.replaceAll("_", " ") },
    { id: "symbol", head: "Symbol", value: (one) => one.symbol },
    { id: "state", head: "State", value: (one) => one.state.replaceAll("_", " "), cell: (one) => <span className={one.state === "closed" ? "dim" : "warn"}>{one.state.replaceAll("_", " ")}</span> },
    { id: "summary", head: "What was found", value: (one) => one.summary },
    { id: "reviewer", head: "Reviewer", value: (one) => who(one.reviewer) },
    { id: "outcome", head: "Outcome", value: (one) => one.outcome ?? "" },
  ];
  return (
    <Pane title="Cases" isFlush facts="nobody is shown a case about themselves; two people close one">
      <Asked query={cases} what="Cases">
        {(found) => <DataTable name="Cases" rows={found} columns={columns} keyOf={(one) => one.case_id} onOpen={(one) => open(one.case_id)} order="-opened" empty={<Empty>No detector found anything.</Empty>} />}
      </Asked>
      <Drawer opened={opened !== null} onClose={() => open(null)} position="right" size={820} title="Case" closeButtonProps={{ "aria-label": "Close" }}>
        {opened !== null && <Case caseId={opened} />}
      </Drawer>
    </Pane>
  );
}

function Case({ caseId }: { caseId: string }) {
  const found = useQuery({
    queryKey: [RISK, "case", caseId],
    queryFn: () => answered(api.GET("/api/v1/surveillance/cases/{case_id}", { params: { path: { case_id: caseId } } })),
  });
  return (
    <Asked query={found} what="The case">
      {(data) => (
        <div className="confirm">
          <p>{data.summary}</p>
          <p className="dim">
            {data.symbol}, {moment(data.first_at)} to {moment(data.last_at)}; parameters version {data.parameter_version}; evidence sha256 <code>{data.evidence_sha256.slice(0, 16)}</code>
          </p>
          <Steps found={data} />
          {data.state !== "closed" && <Move key={data.version} found={data} />}
          <Evidence actions={data.evidence} />
        </div>
      )}
    </Asked>
  );
}

function Steps({ found }: { found: CaseView }) {
  if (found.steps.length === 0) return <p className="dim">Nobody has acted on it yet.</p>;
  return (
    <table className="table">
      <thead>
        <tr>
          <th>When</th>
          <th>Who</th>
          <th>Step</th>
          <th>Then</th>
          <th>Reason</th>
        </tr>
      </thead>
      <tbody>
        {found.steps.map((one) => (
          <tr key={one.step}>
            <td>{moment(one.at)}</td>
            <td>{who(one.actor)}</td>
            <td>{one.action.replaceAll("_", " ")}</td>
            <td>{one.state.replaceAll("_", " ")}</td>
            <td className="wrap">{one.reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Move({ found }: { found: CaseView }) {
  const actions = found.proposed_by === null ? ["review", "escalate", "propose_closure"] : ["confirm_closure", "reject_closure"];
  const [action, choose] = useState(actions[0] ?? "review");
  const [outcome, decide] = useState(OUTCOMES[0] ?? "");
  const [reason, why] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    const body = { action, reason: reason.trim(), outcome: action === "propose_closure" ? outcome : null };
    await answered(api.POST("/api/v1/surveillance/cases/{case_id}/steps", { params: { path: { case_id: found.case_id } }, body }));
    await renew();
  });
  return (
    <form
      className="row row-end"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Select label="Step" data={actions.map((value) => ({ value, label: value.replaceAll("_", " ") }))} value={action} onChange={(next) => choose(next ?? action)} />
      {action === "propose_closure" && (
        <Select label="Outcome" data={OUTCOMES.map((value) => ({ value, label: value.replaceAll("_", " ") }))} value={outcome} onChange={(next) => decide(next ?? outcome)} />
      )}
      <TextInput label="Reason" required value={reason} onChange={(event) => why(event.currentTarget.value)} w={280} />
      <Button type="submit" loading={isSending} disabled={reason.trim() === ""} title={reason.trim() === "" ? "Say why first" : ""}>
        Take the step
      </Button>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
    </form>
  );
}

function Evidence({ actions }: { actions: readonly ActionView[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th>When</th>
          <th>What</th>
          <th>Order</th>
          <th>Side</th>
          <th className="num">Quantity</th>
          <th className="num">Price</th>
        </tr>
      </thead>
      <tbody>
        {actions.map((one) => (
          <tr key={one.event_id}>
            <td className="mono">{one.happened_at.slice(0, 23).replace("T", " ")}</td>
            <td>{one.kind.replaceAll("_", " ")}</td>
            <td className="mono">{one.order_id.slice(-8)}</td>
            <td className={one.side === "buy" ? "up" : "down"}>{one.side}</td>
            <td className="num">{quantity(one.qty)}</td>
            <td className="num">{price(one.price)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
