import "@mantine/core/styles/Checkbox.layer.css";
import { Button } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { ConnectionView } from "../api/schema";
import { Breaks } from "../connections/Breaks";
import "../connections/connections.css";
import { LiveCard } from "../connections/LiveCard";
import { PaperCard } from "../connections/PaperCard";
import { Prices } from "../connections/Prices";
import { renew, useConnections } from "../connections/queries";
import { Wizard } from "../connections/Wizard";
import { Confirm } from "../forms/Confirm";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import "../risk/risk.css";
import { useAccounts } from "../session/account";
import { useMissing } from "../session/needs";
import { useUrlText } from "../shell/urlState";

const LIVE_FIRST = (one: ConnectionView) => (one.paper === null ? 0 : 1);

/** How accounts reach their venues: the paper venue, and brokers and exchanges of live accounts. */
export default function Connections() {
  const connections = useConnections();
  const accounts = useAccounts().data ?? [];
  const missing = useMissing("trade");
  const missingAdmin = useMissing("administer");
  const [wizard, open] = useState<{ rotated: ConnectionView | null } | null>(null);
  const [isRotating, rotate] = useState(false);
  const [chosen, choose] = useUrlText("connection");
  const nameOf = (id: string) => accounts.find((one) => one.account_id === id);
  const waiting = accounts.filter((one) => one.mode === "live" && connections.data?.find((each) => each.account_id === one.account_id)?.status === "pending");
  const lives = (connections.data ?? []).filter((one) => one.paper === null);
  const shown = lives.find((one) => one.account_id === chosen) ?? lives[0];
  const rotateKeys = async () => {
    await answered(api.POST("/api/v1/connections/rotate-keys"));
    await renew();
  };
  return (
    <div className="page">
      <div className="page-title">
        <h1>Connections</h1>
        <span className="page-actions">
          <Button variant="default" disabled={missingAdmin !== ""} title={missingAdmin} onClick={() => rotate(true)}>
            Rotate encryption keys
          </Button>
          <Button disabled={missing !== ""} title={missing} onClick={() => open({ rotated: null })}>
            Connect a broker
          </Button>
        </span>
      </div>
      <Asked query={connections} what="Connections" height={240}>
        {(found) => (
          <>
            {found.every((one) => one.paper === null) && (
              <Pane title="Paper venue" columns={4} facts={<span className="kind">PAPER</span>}>
                <p className="dim">Always there, without key or money. No paper account uses it yet.</p>
              </Pane>
            )}
            {[...found]
              .sort((a, b) => LIVE_FIRST(a) - LIVE_FIRST(b))
              .map((one) =>
                one.paper === null ? (
                  <LiveCard
                    key={one.account_id}
                    connection={one}
                    account={nameOf(one.account_id)}
                    onKey={() => open({ rotated: one })}
                    isChosen={one.account_id === shown?.account_id}
                    onChoose={() => choose(one.account_id)}
                  />
                ) : (
                  <PaperCard key={one.account_id} connection={one} account={nameOf(one.account_id)} />
                ),
              )}
          </>
        )}
      </Asked>
      {shown !== undefined && shown.credentials_version > 0 && (
        <>
          <Breaks key={`b ${shown.account_id}`} accountId={shown.account_id} name={nameOf(shown.account_id)?.name ?? ""} />
          <Prices key={`p ${shown.account_id}`} accountId={shown.account_id} name={nameOf(shown.account_id)?.name ?? ""} />
        </>
      )}
      {wizard !== null && <Wizard waiting={waiting} rotated={wizard.rotated} onClose={() => open(null)} />}
      <Confirm
        opened={isRotating}
        title="Rotate encryption keys"
        consequence="A new key wraps the data key of every connection. The venues' own keys stay as they are; nothing stops meanwhile."
        verb="Rotate"
        isDangerous={false}
        onConfirm={rotateKeys}
        onClose={() => rotate(false)}
      />
    </div>
  );
}
