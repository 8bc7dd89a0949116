import { Button } from "@mantine/core";
import { useState } from "react";
import type { LimitUseView } from "../api/schema";
import { decimal, percent } from "../format/numbers";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useMissing } from "../session/needs";
import { LimitsEditor } from "./LimitsEditor";
import { fullness, inWords, shown, fieldsOf, toneOf } from "./limits";
import { useControls, useLimits, useLimitUse } from "./queries";

const SCOPES: Record<string, string> = { account: "", user: "all accounts of the person", firm: "the firm" };

function Bar({ use }: { use: LimitUseView }) {
  const tone = toneOf(use.used, use.most, use.warn_pct);
  const full = fullness(use.used, use.most);
  return (
    <div className={`bar is-${tone}`} role="meter" aria-label={`${use.what} ${use.name}`.trim()} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(full)}>
      <span style={{ width: `${full}%` }} />
    </div>
  );
}

function amount(text: string, unit: string): string {
  return unit === "%" ? `${decimal(text, { digits: 2 })} %` : decimal(text);
}

/** What can be used up, as bars; and what each order is held against. */
export function LimitUse({ accountId }: { accountId: string }) {
  const use = useLimitUse(accountId);
  const limits = useLimits(accountId);
  const controls = useControls();
  const [isEdited, edit] = useState(false);
  const missing = useMissing("administer");
  const nameOf = (rule: string) => controls.data?.controls.find((one) => one.rule === rule)?.name ?? "";
  return (
    <>
      <Pane
        title="Use of limits"
        isFlush
        facts={use.data && `version ${use.data.version}, all working orders counted as filled${use.data.equity_day === "" ? "" : `, losses of ${use.data.equity_day}`}`}
        actions={
          <Button variant="default" disabled={missing !== "" || limits.data === undefined} title={missing} onClick={() => edit(true)}>
            Edit limits
          </Button>
        }
      >
        <Asked query={use} what="The use of limits" isEmpty={(data) => data.uses.length === 0} empty={<Empty>No limit that can be used up is set.</Empty>}>
          {({ uses }) => (
            <table className="table">
              <thead>
                <tr>
                  <th>Rule</th>
                  <th>Limit</th>
                  <th>Of</th>
                  <th className="num">Used</th>
                  <th className="num">Limit</th>
                  <th className="num">Share</th>
                  <th>
                    <span className="hidden">Bar</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {uses.map((one) => (
                  <tr key={`${one.scope} ${one.what} ${one.name}`}>
                    <td className="rule" title={nameOf(one.rule)}>
                      {one.rule}
                    </td>
                    <td>{one.what.charAt(0).toUpperCase() + one.what.slice(1)}</td>
                    <td>{one.name !== "" ? one.name : (SCOPES[one.scope] ?? one.scope)}</td>
                    <td className="num">{amount(one.used, one.unit)}</td>
                    <td className="num">{amount(one.most, one.unit)}</td>
                    <td className="num">{percent(Number(one.used) / Number(one.most), { digits: 0 })}</td>
                    <td className="bar-cell">
                      <Bar use={one} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Asked>
      </Pane>
      <Pane title="Limits in force" isFlush facts={limits.data && `set ${moment(limits.data.set_at)}${limits.data.reason === "" ? "" : `: ${limits.data.reason}`}`}>
        <Asked query={limits} what="Limits">
          {(data) => {
            const fields = fieldsOf(data);
            const rows = (controls.data?.limits ?? []).filter((one) => fields[one.limit] !== undefined && fields[one.limit] !== "");
            return (
              <table className="table">
                <thead>
                  <tr>
                    <th>Rule</th>
                    <th>Limit</th>
                    <th className="num">Value</th>
                    <th>Meaning</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((one) => (
                    <tr key={one.limit}>
                      <td className="rule" title={nameOf(one.rule)}>
                        {one.rule}
                      </td>
                      <td>{inWords(one.limit)}</td>
                      <td className="num">{shown(one.limit, fields[one.limit] ?? "")}</td>
                      <td className="wrap">{one.meaning}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            );
          }}
        </Asked>
      </Pane>
      {limits.data !== undefined && controls.data !== undefined && isEdited && (
        <LimitsEditor accountId={accountId} limits={limits.data} docs={controls.data.limits} onClose={() => edit(false)} />
      )}
    </>
  );
}
