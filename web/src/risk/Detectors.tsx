import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { DetectorView, ReplayView } from "../api/schema";
import { Reasoned } from "../forms/Reasoned";
import { useSending } from "../forms/useSending";
import { count, decimal } from "../format/numbers";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { who } from "../session/who";
import { renew, useDetectors } from "./queries";

const DAY_MS = 86_400_000;

/** The detectors with their parameters, their yearly review, and a run over the last day. */
export function Detectors() {
  const detectors = useDetectors(true);
  const [edited, edit] = useState<DetectorView | null>(null);
  const [values, write] = useState<Record<string, string>>({});
  const [replayed, tell] = useState<ReplayView | null>(null);
  const replaying = useSending(async (detector: string) => {
    const until = new Date();
    const body = { since: new Date(until.getTime() - DAY_MS).toISOString(), until: until.toISOString() };
    tell(await answered(api.POST("/api/v1/surveillance/detectors/{detector}/replay", { params: { path: { detector } }, body })));
  });
  const save = async (reason: string) => {
    if (edited === null) return;
    await answered(api.PUT("/api/v1/surveillance/detectors/{detector}", { params: { path: { detector: edited.detector } }, body: { values, reason } }));
    await renew();
  };
  return (
    <Pane title="Detectors" isFlush facts={replayed === null ? "parameters are reviewed once a year" : `${replayed.detector.replaceAll("_", " ")} over a day: ${count(replayed.actions)} actions, ${replayed.findings.length} findings`}>
      <p role="alert" className="danger form-failure">
        {replaying.failure}
      </p>
      <Asked query={detectors} what="Detectors">
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Detector</th>
                <th>Parameters</th>
                <th className="num">Version</th>
                <th>Set</th>
                <th>Review due</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.detector}>
                  <td>{one.detector.replaceAll("_", " ")}</td>
                  <td className="wrap">
                    {Object.entries(one.values)
                      .map(([name, value]) => `${name.replaceAll("_", " ")} ${decimal(value)}`)
                      .join(", ")}
                  </td>
                  <td className="num">{one.version}</td>
                  <td title={one.reason}>{one.version === 0 ? "built in" : `${who(one.set_by)}, ${moment(one.set_at)}`}</td>
                  <td className={one.is_overdue ? "warn" : ""}>{one.review_due}</td>
                  <td className="num">
                    <span className="row">
                      <Button variant="default" loading={replaying.isSending} onClick={() => void replaying.send(one.detector)} aria-label={`Replay a day of ${one.detector}`}>
                        Replay a day
                      </Button>
                      <Button
                        variant="default"
                        aria-label={`Set ${one.detector}`}
                        onClick={() => {
                          write(one.values);
                          edit(one);
                        }}
                      >
                        Set
                      </Button>
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Reasoned opened={edited !== null} title={`Set ${edited?.detector.replaceAll("_", " ") ?? ""}`} verb="Set" onConfirm={save} onClose={() => edit(null)}>
        <div className="form-grid">
          {Object.entries(values).map(([name, value]) => (
            <TextInput key={name} label={name.replaceAll("_", " ")} value={value} onChange={(event) => write({ ...values, [name]: event.currentTarget.value })} />
          ))}
        </div>
      </Reasoned>
    </Pane>
  );
}
