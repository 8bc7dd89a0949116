import { ActionIcon, Button, SegmentedControl, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useState } from "react";
import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import type { DecisionView, DeploymentView } from "../api/schema";
import { decimal, money } from "../format/numbers";
import { moment } from "../format/times";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useUrlChoice } from "../shell/urlState";
import { outcomeText } from "./standing";

const EVERY_MS = 3000;
const PARTS = ["decisions", "drift"] as const;
const SHOWN = ["all", "orders"] as const;

interface DetailProps {
  deployment: DeploymentView;
  name: string;
  onClose: () => void;
}

/** What a deployment decided bar by bar, why it traded or did not, and how far it is from its backtest. */
export function DeploymentDetail({ deployment, name, onClose }: DetailProps) {
  const [part, turn] = useUrlChoice("part", PARTS, "decisions");
  const close = (
    <ActionIcon variant="subtle" color="gray" size={24} aria-label="Close" onClick={onClose}>
      <X size={14} />
    </ActionIcon>
  );
  return (
    <Pane title={`${name} on ${deployment.symbol}`} facts={deployment.error === "" ? deployment.status : `${deployment.status}: ${deployment.error}`} actions={close} isFlush>
      <Tabs value={part} onChange={(next) => turn(PARTS.find((one) => one === next) ?? "decisions")} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="decisions">Decisions</Tabs.Tab>
          <Tabs.Tab value="drift">Drift from its backtest</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="decisions">
          <Decisions id={deployment.deployment_id} />
        </Tabs.Panel>
        <Tabs.Panel value="drift">
          <Drift id={deployment.deployment_id} />
        </Tabs.Panel>
      </Tabs>
    </Pane>
  );
}

function Decisions({ id }: { id: string }) {
  const [shown, show] = useState<(typeof SHOWN)[number]>("all");
  const [at, point] = useState("");
  const decisions = useQuery({
    queryKey: ["decisions", id, shown],
    refetchInterval: EVERY_MS,
    queryFn: () =>
      answered(
        api.GET("/api/v1/deployments/{deployment_id}/decisions", {
          params: { path: { deployment_id: id }, query: { limit: 100, ...(shown === "orders" ? { outcome: "intent" } : {}) } },
        }),
      ),
  });
  return (
    <div className="decisions">
      <div className="decisions-list">
        <div className="decisions-head">
          <SegmentedControl
            size="xs"
            aria-label="Which bars"
            data={[
              { value: "all", label: "All bars" },
              { value: "orders", label: "With an order" },
            ]}
            value={shown}
            onChange={(next) => show(SHOWN.find((one) => one === next) ?? "all")}
          />
          <span className="dim">Choose a bar to read why.</span>
        </div>
        <Asked query={decisions} what="Decisions" isEmpty={(data) => data.decisions.length === 0} empty={<Empty>No bar yet: its feed may be paused.</Empty>}>
          {(data) => <Bars decisions={data.decisions} at={at} onPoint={point} />}
        </Asked>
      </div>
      <Why id={id} at={at} />
    </div>
  );
}

function Bars({ decisions, at, onPoint }: { decisions: readonly DecisionView[]; at: string; onPoint: (at: string) => void }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Bar closed</th>
          <th>Outcome</th>
          <th>Order</th>
        </tr>
      </thead>
      <tbody>
        {decisions.map((one) => (
          <tr key={one.seq} className={one.bar_ts === at ? "is-chosen" : ""}>
            <td>
              <button type="button" className="plain-link mono" aria-label={`Why at ${moment(one.bar_ts)}`} onClick={() => onPoint(one.bar_ts)}>
                {moment(one.bar_ts)}
              </button>
            </td>
            <td className={one.outcome === "intent" ? "" : "dim"}>{outcomeText(one.outcome)}</td>
            <td className="mono">{one.order_code === "" ? (one.client_order_id === "" ? "" : "placed") : one.order_code}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Why({ id, at }: { id: string; at: string }) {
  const why = useQuery({
    queryKey: ["why", id, at],
    enabled: at !== "",
    queryFn: () => answered(api.GET("/api/v1/deployments/{deployment_id}/why", { params: { path: { deployment_id: id }, query: { at } } })),
  });
  return (
    <section className="why" aria-label="Why">
      {at === "" ? (
        <p className="state">Why a bar brought an order, or none, is told here.</p>
      ) : (
        <Asked query={why} what="The reasons" height={120}>
          {(found) => (
            <ol className="sentences">
              {found.sentences.map((one, place) => (
                <li key={`${place}${one.text}`} style={{ paddingLeft: one.depth * 16 }} className={one.depth === 0 ? "is-first" : ""}>
                  {one.text}
                </li>
              ))}
            </ol>
          )}
        </Asked>
      )}
    </section>
  );
}

function Drift({ id }: { id: string }) {
  const params = { path: { deployment_id: id } };
  const drift = useQuery({
    queryKey: ["drift", id],
    retry: false,
    queryFn: async () => {
      try {
        return await answered(api.GET("/api/v1/deployments/{deployment_id}/drift", { params }));
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return null;
        throw error;
      }
    },
  });
  const { send, isSending, failure } = useSending(async () => {
    await answered(api.POST("/api/v1/deployments/{deployment_id}/drift", { params }));
    await drift.refetch();
  });
  return (
    <div className="drift">
      <div className="decisions-head">
        <Button variant="default" loading={isSending} onClick={() => void send()}>
          Measure now
        </Button>
        <span className="dim">Holds what it did against the backtest of the same bars with the same version.</span>
      </div>
      {failure !== "" && (
        <p role="alert" className="state danger">
          {failure}
        </p>
      )}
      <Asked query={drift} what="The drift report" isEmpty={(data) => data === null} empty={<Empty>It was not measured yet.</Empty>}>
        {(found) =>
          found === null ? null : (
            <>
              <dl className="facts drift-facts">
                <dt>Measured</dt>
                <dd>{moment(found.made_at)}</dd>
                <dt>Bars</dt>
                <dd>
                  {found.bars}, {moment(found.first_ts)} to {moment(found.last_ts)}
                </dd>
                <dt>Compared</dt>
                <dd>
                  {found.decisions} decisions, {found.orders} orders, {found.fills} fills
                </dd>
                <dt>Equity</dt>
                <dd>
                  {money(found.equity)}, its backtest {money(found.replayed_equity)} ({decimal(found.equity_bps, { digits: 1, isSigned: true })} bps)
                </dd>
                <dt>Slippage</dt>
                <dd>{decimal(found.slippage_bps, { digits: 1 })} bps worse than the backtest</dd>
                <dt>Verdict</dt>
                <dd className={found.is_over ? "danger" : ""}>{found.is_over ? "Somebody has to look" : "Within its limits"}</dd>
              </dl>
              {found.differences.length > 0 && (
                <table className="table">
                  <thead>
                    <tr>
                      <th>Bar</th>
                      <th>What</th>
                      <th>Reason</th>
                      <th>Difference</th>
                    </tr>
                  </thead>
                  <tbody>
                    {found.differences.map((one) => (
                      <tr key={`${one.ts}${one.kind}${one.detail}`}>
                        <td className="mono">{moment(one.ts)}</td>
                        <td>{one.kind}</td>
                        <td>{outcomeText(one.reason)}</td>
                        <td className="wrap">{one.detail}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </>
          )
        }
      </Asked>
    </div>
  );
}
