import { Tabs } from "@mantine/core";
import { Channels } from "../notices/Channels";
import { Inbox } from "../notices/Inbox";
import { QuietHours } from "../notices/QuietHours";
import { Rules } from "../notices/Rules";
import { Sendings } from "../notices/Sendings";
import { useUrlChoice } from "../shell/urlState";

const TABS = ["inbox", "rules", "log"] as const;

/** What a person was told, and by which ways it leaves. */
export default function Notifications() {
  const [tab, choose] = useUrlChoice("tab", TABS, "inbox");
  return (
    <div className="page">
      <div className="page-title">
        <h1>Notifications</h1>
      </div>
      <Tabs value={tab} onChange={(next) => choose(TABS.find((one) => one === next) ?? "inbox")} keepMounted={false} style={{ gridColumn: "1 / -1" }}>
        <Tabs.List>
          <Tabs.Tab value="inbox">Inbox</Tabs.Tab>
          <Tabs.Tab value="rules">Rules and channels</Tabs.Tab>
          <Tabs.Tab value="log">Delivery log</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="inbox" pt={12}>
          <Inbox />
        </Tabs.Panel>
        <Tabs.Panel value="rules" pt={12}>
          <div className="page" style={{ padding: 0 }}>
            <Channels />
            <QuietHours />
            <Rules />
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="log" pt={12}>
          <Sendings />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
