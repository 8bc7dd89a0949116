import { Tabs } from "@mantine/core";
import { Access } from "../operator/Access";
import { Audits } from "../operator/Audits";
import { Backups } from "../operator/Backups";
import { Banner } from "../operator/Banner";
import { Databases } from "../operator/Databases";
import { Layouts } from "../operator/Layouts";
import { Moves } from "../operator/Moves";
import "../operator/operator.css";
import { Queues } from "../operator/Queues";
import { useAccess } from "../operator/queries";
import { Retention } from "../operator/Retention";
import { Services } from "../operator/Services";
import { Windows } from "../operator/Windows";
import { Pane } from "../panes/Pane";
import { Empty } from "../panes/states";
import { mayAdminister, useRole } from "../session/session";
import { useUrlChoice } from "../shell/urlState";

const TABS = ["access", "services", "databases", "layouts", "queues", "audit", "migrations", "backups", "retention", "windows"] as const;

const LABELS: Readonly<Record<(typeof TABS)[number], string>> = {
  access: "Access map",
  services: "Services",
  databases: "Databases",
  layouts: "Layouts",
  queues: "Queues",
  audit: "Audit",
  migrations: "Migrations",
  backups: "Backups",
  retention: "Retention",
  windows: "Maintenance",
};

/** How the installation itself stands: for owners and operators. */
export default function Operator() {
  const role = useRole();
  return (
    <div className="page">
      <div className="page-title">
        <h1>Operator</h1>
      </div>
      {mayAdminister(role) ? (
        <Inside />
      ) : (
        <Pane title="Not for this role">
          <Empty>This page is for the role owner or operator; yours is {role || "none"}.</Empty>
        </Pane>
      )}
    </div>
  );
}

function Inside() {
  const [tab, open] = useUrlChoice("tab", TABS, "access");
  const access = useAccess();
  return (
    <>
      <Banner access={access.data} />
      <Tabs className="operator-tabs" value={tab} onChange={(next) => open(next as (typeof TABS)[number])} keepMounted={false}>
        <Tabs.List aria-label="Operator">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {LABELS[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map((one) => (
          <Tabs.Panel key={one} value={one} className="operator-panel">
            {one === "access" && <Access query={access} />}
            {one === "services" && <Services />}
            {one === "databases" && <Databases />}
            {one === "layouts" && <Layouts />}
            {one === "queues" && <Queues />}
            {one === "audit" && <Audits />}
            {one === "migrations" && <Moves />}
            {one === "backups" && <Backups />}
            {one === "retention" && <Retention />}
            {one === "windows" && <Windows />}
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}
