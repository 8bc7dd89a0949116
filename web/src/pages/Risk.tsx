import "@mantine/core/styles/Checkbox.layer.css";
import { Tabs } from "@mantine/core";
import { Alerts } from "../risk/Alerts";
import { Blocks } from "../risk/Blocks";
import { Breaches } from "../risk/Breaches";
import { KillSwitch } from "../risk/KillSwitch";
import { LimitUse } from "../risk/LimitUse";
import { Report } from "../risk/Report";
import "../risk/risk.css";
import { Surveillance } from "../risk/Surveillance";
import { Versions } from "../risk/Versions";
import type { AccountView } from "../api/schema";
import { Asked, Empty } from "../panes/states";
import { useAccount, useAccounts } from "../session/account";
import { useUrlChoice } from "../shell/urlState";

const TABS = ["limits", "changes", "kill", "breaches", "alerts", "blocks", "report", "surveillance"] as const;
type Tab = (typeof TABS)[number];
const LABEL: Record<Tab, string> = {
  limits: "Limits",
  changes: "Proposals and versions",
  kill: "Kill switch",
  breaches: "Refused orders",
  alerts: "Alerts",
  blocks: "Blocks",
  report: "Report",
  surveillance: "Surveillance",
};

/** Limits and how much of them is used, what is blocked, what was refused, what the book risks. */
export default function Risk() {
  const accounts = useAccounts();
  const { account } = useAccount();
  const [tab, choose] = useUrlChoice("tab", TABS, "limits");
  return (
    <div className="page">
      <div className="page-title">
        <h1>Risk</h1>
        {account !== undefined && <span className="dim">{account.name}</span>}
      </div>
      <Tabs className="pane-12" value={tab} onChange={(next) => choose((next ?? "limits") as Tab)}>
        <Tabs.List>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one} id={`risk-${one}`}>
              {LABEL[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      {tab === "alerts" ? (
        <Alerts />
      ) : tab === "surveillance" ? (
        <Surveillance />
      ) : (
        <Asked query={accounts} what="Accounts" isEmpty={(found) => found.length === 0} empty={<Empty>Limits belong to an account: open one first.</Empty>}>
          {() => account !== undefined && <Panel tab={tab} account={account} />}
        </Asked>
      )}
    </div>
  );
}

function Panel({ tab, account }: { tab: Exclude<Tab, "alerts" | "surveillance">; account: AccountView }) {
  const id = account.account_id;
  switch (tab) {
    case "limits":
      return <LimitUse key={id} accountId={id} />;
    case "changes":
      return <Versions key={id} accountId={id} />;
    case "kill":
      return <KillSwitch key={id} account={account} />;
    case "breaches":
      return <Breaches key={id} accountId={id} />;
    case "blocks":
      return <Blocks key={id} account={account} />;
    case "report":
      return <Report key={id} accountId={id} />;
  }
}
