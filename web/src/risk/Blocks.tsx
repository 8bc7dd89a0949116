import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { AccountView, LatchView, OverrideView, RestrictionView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { Reasoned } from "../forms/Reasoned";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { Needs, useMissing } from "../session/needs";
import { who } from "../session/who";
import { renew, useLatches, useOverrides, useRestrictions } from "./queries";
import { SharedLimits } from "./SharedLimits";

/** What stops orders beside limits: latched blocks, restrictions, leave by two people, shared credit. */
export function Blocks({ account }: { account: AccountView }) {
  return (
    <>
      <Latches accountId={account.account_id} />
      <Overrides accountId={account.account_id} />
      <Pane title="Restricted list" isFlush columns={7} facts="the reason is not told to traders">
        <Needs need="administer" what="Restrictions">
          <Restrictions account={account} />
        </Needs>
      </Pane>
      <Pane title="Shared credit and four eyes" columns={5}>
        <Needs need="administer" what="Shared limits">
          <SharedLimits />
        </Needs>
      </Pane>
    </>
  );
}

function Latches({ accountId }: { accountId: string }) {
  const latches = useLatches(accountId);
  const missing = useMissing("administer");
  const [lifted, lift] = useState<LatchView | null>(null);
  const send = async (reason: string) => {
    if (lifted === null) return;
    await answered(api.POST("/api/v1/risk/latches/{latch_id}/lift", { params: { path: { latch_id: lifted.latch_id } }, body: { reason } }));
    await renew();
  };
  return (
    <Pane title="Latched blocks" isFlush facts="they stay until a named person lifts them">
      <Asked query={latches} what="Blocks" isEmpty={(found) => found.length === 0} empty={<Empty>Nothing is blocked: no strategy executed too often, nothing was overfilled.</Empty>}>
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Since</th>
                <th>Code</th>
                <th>Blocks</th>
                <th>Reason</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.latch_id}>
                  <td>{moment(one.set_at)}</td>
                  <td>
                    <span className="code">{one.code}</span>
                  </td>
                  <td>{one.book_id !== null ? `strategy ${one.book_id.slice(-6)}` : (one.symbol ?? "the account")}</td>
                  <td className="wrap">{one.reason}</td>
                  <td className="num">
                    <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => lift(one)}>
                      Lift
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Reasoned opened={lifted !== null} title="Lift the block" verb="Lift" isDangerous onConfirm={send} onClose={() => lift(null)}>
        {lifted?.code}: orders pass again from the next one on.
      </Reasoned>
    </Pane>
  );
}

function Overrides({ accountId }: { accountId: string }) {
  const overrides = useOverrides(accountId);
  const missing = useMissing("administer");
  const missingTrade = useMissing("trade");
  const [approved, approve] = useState<OverrideView | null>(null);
  const [isAsked, ask] = useState(false);
  const [orderId, name] = useState("");
  const give = async () => {
    if (approved === null) return;
    await answered(api.POST("/api/v1/risk/overrides/{override_id}/approve", { params: { path: { override_id: approved.override_id } } }));
    await renew();
  };
  const request = async (reason: string) => {
    await answered(api.POST("/api/v1/risk/overrides", { body: { order_id: orderId.trim(), reason } }));
    await renew();
  };
  const now = Date.now();
  return (
    <Pane
      title="Leave for one order"
      isFlush
      facts="past soft controls, once, by a second person"
      actions={
        <Button variant="default" disabled={missingTrade !== ""} title={missingTrade} onClick={() => ask(true)}>
          Ask for leave
        </Button>
      }
    >
      <Asked query={overrides} what="Leave" isEmpty={(found) => found.length === 0} empty={<Empty>Nobody asked for leave.</Empty>}>
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Order</th>
                <th>Codes</th>
                <th>Asked by</th>
                <th>Reason</th>
                <th>Until</th>
                <th>Given by</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.override_id}>
                  <td className="mono">{one.order_id.slice(-8)}</td>
                  <td>
                    <span className="codes">
                      {one.codes.map((code) => (
                        <span className="code" key={code}>
                          {code}
                        </span>
                      ))}
                    </span>
                  </td>
                  <td>{who(one.requested_by)}</td>
                  <td className="wrap">{one.reason}</td>
                  <td>{moment(one.expires_at)}</td>
                  <td>{one.approved_by === null ? (Date.parse(one.expires_at) < now ? "nobody, expired" : "waits") : who(one.approved_by)}</td>
                  <td className="num">
                    {one.approved_by === null && Date.parse(one.expires_at) >= now && (
                      <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => approve(one)}>
                        Give leave
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Confirm
        opened={approved !== null}
        title="Give leave for one order"
        consequence={`One order like the refused one passes ${approved?.codes.join(", ") ?? ""} within the hour.`}
        verb="Give leave"
        onConfirm={give}
        onClose={() => approve(null)}
      />
      <Reasoned opened={isAsked} title="Ask for leave" verb="Ask" onConfirm={request} onClose={() => ask(false)}>
        <TextInput label="Id of the refused order" value={orderId} onChange={(event) => name(event.currentTarget.value)} />
      </Reasoned>
    </Pane>
  );
}

function Restrictions({ account }: { account: AccountView }) {
  const restrictions = useRestrictions(true);
  const [isAdded, add] = useState(false);
  const [symbol, name] = useState("");
  const [lifted, lift] = useState<RestrictionView | null>(null);
  const [isForAll, forAll] = useState(true);
  const restrict = async (reason: string) => {
    const body = { symbol: symbol.trim().toUpperCase(), reason, account_id: isForAll ? null : account.account_id };
    await answered(api.POST("/api/v1/risk/restrictions", { body }));
    name("");
    await renew();
  };
  const free = async () => {
    if (lifted === null) return;
    await answered(api.POST("/api/v1/risk/restrictions/{restriction_id}/lift", { params: { path: { restriction_id: lifted.restriction_id } } }));
    await renew();
  };
  return (
    <>
      <div className="table-tools">
        <Button variant="default" onClick={() => add(true)}>
          Restrict a symbol
        </Button>
      </div>
      <Asked query={restrictions} what="Restrictions" isEmpty={(found) => found.length === 0} empty={<Empty>No symbol is restricted.</Empty>}>
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Symbol</th>
                <th>For</th>
                <th>Reason</th>
                <th>Set</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.restriction_id}>
                  <td>{one.symbol}</td>
                  <td>{one.account_id === null ? "all" : `account ${one.account_id.slice(-6)}`}</td>
                  <td className="wrap">{one.reason}</td>
                  <td>{`${who(one.set_by)}, ${moment(one.set_at)}`}</td>
                  <td className="num">
                    <Button variant="default" onClick={() => lift(one)}>
                      Lift
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Reasoned opened={isAdded} title="Restrict a symbol" verb="Restrict" isDangerous onConfirm={restrict} onClose={() => add(false)}>
        <p>Orders in it are refused from the next one on, working ones are taken off.</p>
        <TextInput label="Symbol" value={symbol} onChange={(event) => name(event.currentTarget.value)} />
        <label className="row">
          <input type="checkbox" checked={isForAll} onChange={(event) => forAll(event.currentTarget.checked)} /> For all accounts, not {account.name} alone
        </label>
      </Reasoned>
      <Confirm opened={lifted !== null} title={`Lift the restriction of ${lifted?.symbol ?? ""}`} consequence="Orders in it pass again." verb="Lift" onConfirm={free} onClose={() => lift(null)} />
    </>
  );
}
