import "@mantine/core/styles/Pill.layer.css";
import "@mantine/core/styles/PillsInput.layer.css";
import "@mantine/core/styles/Checkbox.layer.css";
import { Button, Tabs } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Compare } from "../backtests/Compare";
import { NewRun } from "../backtests/NewRun";
import { NewSweep } from "../backtests/NewSweep";
import { RunsTable } from "../backtests/RunsTable";
import { Samples } from "../backtests/Samples";
import { Sweeps } from "../backtests/Sweeps";
import { Pane } from "../panes/Pane";
import { useRole } from "../session/session";
import { useUrlChoice, useUrlText } from "../shell/urlState";

const TABS = ["runs", "sweeps", "samples"] as const;
type Tab = (typeof TABS)[number];
const LABELS: Record<Tab, string> = { runs: "Runs", sweeps: "Parameter searches", samples: "Ready strategies" };

/** Every backtest and search of one's own, and the way to a new one. */
export default function Backtests() {
  const [tab, choose] = useUrlChoice<Tab>("tab", TABS, "runs");
  const [compare, setCompare] = useUrlText("compare");
  const [, openSweep] = useUrlText("sweep");
  const [isSearching, search] = useState(false);
  const [tried, run] = useState<string | null>(null);
  const why = useRole() === "viewer" ? "Viewers start nothing: ask for the role of a trader" : "";
  const compared = compare === "" ? [] : compare.split(",");
  const onNew = () => (tab === "sweeps" ? search(true) : run(""));
  return (
    <div className="page">
      <div className="page-title">
        <h1>Backtests</h1>
        <span className="page-actions">
          <Button leftSection={<Plus size={14} aria-hidden />} disabled={why !== ""} title={why} onClick={onNew}>
            {tab === "sweeps" ? "New search" : "New backtest"}
          </Button>
        </span>
      </div>
      <Tabs className="span-12" value={tab} onChange={(next) => choose((next ?? "runs") as Tab)} keepMounted={false}>
        <Tabs.List>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {LABELS[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} className="page" style={{ padding: "12px 0 0" }}>
          {tab === "runs" && compared.length > 0 && <Compare ids={compared} onClear={() => setCompare("")} />}
          {tab === "runs" && (
            <Pane title="Runs" facts="tick two to four to compare them" isFlush>
              <RunsTable
                compared={compared}
                onCompare={(ids) => setCompare(ids.join(","))}
                empty={
                  <>
                    A backtest tries a strategy on bars of the past.
                    <Button variant="default" onClick={() => choose("samples")}>
                      See ready strategies
                    </Button>
                  </>
                }
              />
            </Pane>
          )}
          {tab === "sweeps" && <Sweeps onNew={() => search(true)} />}
          {tab === "samples" && <Samples onTry={(template) => run(`template:${template}`)} />}
        </Tabs.Panel>
      </Tabs>
      {tried !== null && <NewRun strategy={tried} onClose={() => run(null)} />}
      {isSearching && (
        <NewSweep
          onClose={() => search(false)}
          onStarted={(id) => {
            search(false);
            openSweep(id);
          }}
        />
      )}
    </div>
  );
}
