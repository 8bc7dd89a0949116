import { Button } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { LimitProposalView, LimitsView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useMissing } from "../session/needs";
import { who } from "../session/who";
import { Diff } from "./Diff";
import { changesOf, fieldsOf, inWords, shown } from "./limits";
import { renew, useLimits, useProposals, useVersions } from "./queries";

/** What waits for a second person, and the limit sets the account had. */
export function Versions({ accountId }: { accountId: string }) {
  return (
    <>
      <Proposals accountId={accountId} />
      <History accountId={accountId} />
    </>
  );
}

function Proposals({ accountId }: { accountId: string }) {
  const proposals = useProposals(accountId);
  const limits = useLimits(accountId);
  const missing = useMissing("administer");
  const [asked, ask] = useState<{ proposal: LimitProposalView; isApproved: boolean } | null>(null);
  const decide = async () => {
    if (asked === null) return;
    const path = { proposal_id: asked.proposal.proposal_id };
    await answered(api.POST("/api/v1/risk/limit-proposals/{proposal_id}/decision", { params: { path }, body: { is_approved: asked.isApproved } }));
    await renew();
  };
  const changes = (proposal: LimitProposalView) =>
    proposal.wanted === null || limits.data === undefined ? [] : changesOf(fieldsOf(limits.data), fieldsOf(proposal.wanted));
  return (
    <Pane title="Proposals" isFlush facts="four eyes: who proposed limits cannot approve them">
      <Asked query={proposals} what="Proposals" isEmpty={(data) => data.length === 0} empty={<Empty>Limits that take two people are proposed in Edit limits.</Empty>}>
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Proposed</th>
                <th>By</th>
                <th>Reason</th>
                <th>Change to the limits in force</th>
                <th>Decision</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.proposal_id}>
                  <td>{moment(one.proposed_at)}</td>
                  <td>{who(one.proposed_by)}</td>
                  <td className="wrap">{one.reason}</td>
                  <td className="wrap">{one.is_approved === null ? changes(one).map((each) => `${inWords(each.name)} ${shown(each.name, each.before)} → ${shown(each.name, each.after)}`).join("; ") : ""}</td>
                  <td>{one.is_approved === null ? "waits" : `${one.is_approved ? "approved" : "declined"} by ${who(one.decided_by)}`}</td>
                  <td className="num">
                    {one.is_approved === null && (
                      <span className="row">
                        <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => ask({ proposal: one, isApproved: true })}>
                          Approve
                        </Button>
                        <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => ask({ proposal: one, isApproved: false })}>
                          Decline
                        </Button>
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Confirm
        opened={asked !== null}
        title={asked?.isApproved === true ? "Approve limits" : "Decline limits"}
        consequence={
          <>
            <p>{asked?.isApproved === true ? "They hold from the next order on." : "The limits in force stay."}</p>
            {asked !== null && <Diff changes={changes(asked.proposal)} />}
          </>
        }
        verb={asked?.isApproved === true ? "Approve" : "Decline"}
        isDangerous={asked?.isApproved === true}
        onConfirm={decide}
        onClose={() => ask(null)}
      />
    </Pane>
  );
}

function History({ accountId }: { accountId: string }) {
  const versions = useVersions(accountId);
  const difference = (found: readonly LimitsView[], index: number): string => {
    const [after, before] = [found[index], found[index + 1]];
    if (after === undefined || before === undefined) return "the first";
    return changesOf(fieldsOf(before), fieldsOf(after))
      .map((one) => `${inWords(one.name)} ${shown(one.name, one.before)} → ${shown(one.name, one.after)}`)
      .join("; ");
  };
  return (
    <Pane title="Versions" isFlush facts="versions never change once stored">
      <Asked query={versions} what="Versions of limits">
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th className="num">Version</th>
                <th>Set</th>
                <th>By</th>
                <th>Reason</th>
                <th>Changed</th>
              </tr>
            </thead>
            <tbody>
              {found.map((one, index) => (
                <tr key={one.version}>
                  <td className="num">{one.version}</td>
                  <td>{moment(one.set_at)}</td>
                  <td>{who(one.set_by)}</td>
                  <td className="wrap">{one.reason}</td>
                  <td className="wrap">{difference(found, index)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
    </Pane>
  );
}
