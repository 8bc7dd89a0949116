import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { AlertRuleView, AlertView } from "../api/schema";
import { Reasoned } from "../forms/Reasoned";
import { useSending } from "../forms/useSending";
import { decimal } from "../format/numbers";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useMissing } from "../session/needs";
import { who } from "../session/who";
import { type Column, DataTable } from "../tables/DataTable";
import { renew, useAlertRules, useAlerts } from "./queries";

const TONE: Record<string, string> = { critical: "danger", warning: "warn" };
const SEVERITIES = ["info", "warning", "critical"];

/** What somebody has to look at, who took it up, and by which rules it is raised. */
export function Alerts() {
  const alerts = useAlerts();
  const missing = useMissing("trade");
  const [taken, take] = useState<AlertView | null>(null);
  const acknowledge = async (note: string) => {
    if (taken === null) return;
    await answered(api.POST("/api/v1/risk/alerts/{alert_id}/acknowledge", { params: { path: { alert_id: taken.alert_id } }, body: { note } }));
    await renew();
  };
  const columns: Column<AlertView>[] = [
    { id: "raised", head: "Raised", value: (one) => moment(one.raised_at) },
    { id: "severity", head: "Severity", value: (one) => one.severity, cell: (one) => <span className={TONE[one.severity] ?? "dim"}>{one.severity}</span> },
    { id: "title", head: "Alert", value: (one) => one.title, cell: (one) => <span className="cut is-wide" title={`${one.title}. ${one.detail}`}>{one.title}</span> },
    { id: "detail", head: "Detail", value: (one) => one.detail, isHidden: true, cell: (one) => <span className="cut" title={one.detail}>{one.detail}</span> },
    { id: "rule", head: "Rule", value: (one) => one.rule, isHidden: true },
    { id: "escalated", head: "Escalated", value: (one) => moment(one.escalated_at), isHidden: true },
    {
      id: "by",
      head: "Acknowledged",
      value: (one) => (one.acknowledged_by === null ? "no" : `${who(one.acknowledged_by)} ${moment(one.acknowledged_at)}`),
      cell: (one) => (one.acknowledged_by === null ? <span className="warn">no</span> : <span title={one.note}>{`${who(one.acknowledged_by)}, ${moment(one.acknowledged_at)}`}</span>),
    },
  ];
  return (
    <>
      <Pane title="Alerts" isFlush facts={alerts.data && `${alerts.data.filter((one) => one.acknowledged_by === null).length} not acknowledged`}>
        <Asked query={alerts} what="Alerts">
          {(found) => (
            <DataTable
              name="Alerts"
              rows={found}
              columns={columns}
              keyOf={(one) => one.alert_id}
              order="-raised"
              empty={<Empty>No alert was raised.</Empty>}
              actions={(one) =>
                one.acknowledged_by === null && (
                  <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => take(one)}>
                    Acknowledge
                  </Button>
                )
              }
            />
          )}
        </Asked>
      </Pane>
      <Rules />
      <Reasoned opened={taken !== null} title="Acknowledge alert" verb="Acknowledge" label="Note" isOptional onConfirm={acknowledge} onClose={() => take(null)}>
        {taken?.title}. You take it up in your name; it is not escalated any more.
      </Reasoned>
    </>
  );
}

function Rules() {
  const rules = useAlertRules();
  const missing = useMissing("administer");
  const [edited, edit] = useState<string>("");
  return (
    <Pane title="Rules of alerts" isFlush>
      <Asked query={rules} what="Rules of alerts">
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Rule</th>
                <th>On</th>
                <th>Severity</th>
                <th className="num">Threshold</th>
                <th className="num">Again after, s</th>
                <th className="num">Escalated after, s</th>
                <th>Set</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) =>
                one.rule === edited ? (
                  <RuleForm key={one.rule} rule={one} onDone={() => edit("")} />
                ) : (
                  <tr key={one.rule}>
                    <td>{one.rule.replaceAll("_", " ")}</td>
                    <td>{one.is_enabled ? "yes" : <span className="warn">no</span>}</td>
                    <td className={TONE[one.severity] ?? "dim"}>{one.severity}</td>
                    <td className="num">{decimal(one.threshold)}</td>
                    <td className="num">{one.repeat_after_s}</td>
                    <td className="num">{one.escalate_after_s === 0 ? "never" : one.escalate_after_s}</td>
                    <td className="dim">{one.set_at === null ? "built in" : `${who(one.set_by)}, ${moment(one.set_at)}`}</td>
                    <td className="num">
                      <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => edit(one.rule)} aria-label={`Edit ${one.rule}`}>
                        Edit
                      </Button>
                    </td>
                  </tr>
                ),
              )}
            </tbody>
          </table>
        )}
      </Asked>
    </Pane>
  );
}

function RuleForm({ rule, onDone }: { rule: AlertRuleView; onDone: () => void }) {
  const [fields, write] = useState({ on: rule.is_enabled ? "yes" : "no", severity: rule.severity, threshold: rule.threshold, again: String(rule.repeat_after_s), escalated: String(rule.escalate_after_s) });
  const { send, isSending, failure } = useSending(async () => {
    const body = { is_enabled: fields.on === "yes", severity: fields.severity, threshold: fields.threshold, repeat_after_s: Number(fields.again), escalate_after_s: Number(fields.escalated) };
    await answered(api.PUT("/api/v1/risk/alert-rules/{rule}", { params: { path: { rule: rule.rule } }, body }));
    await renew();
    onDone();
  });
  const text = (name: "threshold" | "again" | "escalated", label: string) => (
    <TextInput aria-label={label} value={fields[name]} onChange={(event) => write({ ...fields, [name]: event.currentTarget.value })} />
  );
  return (
    <tr>
      <td>{rule.rule.replaceAll("_", " ")}</td>
      <td>
        <Select aria-label="On" data={["yes", "no"]} value={fields.on} onChange={(on) => write({ ...fields, on: on ?? fields.on })} w={70} />
      </td>
      <td>
        <Select aria-label="Severity" data={SEVERITIES} value={fields.severity} onChange={(severity) => write({ ...fields, severity: severity ?? fields.severity })} w={100} />
      </td>
      <td>{text("threshold", "Threshold")}</td>
      <td>{text("again", "Again after")}</td>
      <td>{text("escalated", "Escalated after")}</td>
      <td className="danger wrap" role="alert">
        {failure}
      </td>
      <td className="num">
        <span className="row">
          <Button loading={isSending} onClick={() => void send()}>
            Save
          </Button>
          <Button variant="default" onClick={onDone}>
            Back
          </Button>
        </span>
      </td>
    </tr>
  );
}
