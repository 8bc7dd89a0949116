import "@mantine/core/styles/Checkbox.layer.css";
import { Button, Checkbox } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Plus, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { answered, api } from "../api/client";
import { asDocument } from "../builder/asking";
import { starter } from "../builder/graph";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { mayTrade, useRole } from "../session/session";
import { useUrlState } from "../shell/urlState";
import { Algorithms } from "../strategies/Algorithms";
import { changed, create, freeName, useStandings, useWorkflows } from "../strategies/asking";
import { Deployments } from "../strategies/Deployments";
import { NameDialog } from "../strategies/NameDialog";
import type { Standing } from "../strategies/standing";
import { StrategyDialogs } from "../strategies/StrategyDialogs";
import { type Ask, StrategyTable } from "../strategies/StrategyTable";
import { Templates } from "../strategies/Templates";
import "../strategies/strategies.css";

const TIMEFRAMES = ["1m", "5m", "15m", "30m", "1h", "4h", "1d"];
const OPENED = { tab: "preview", symbol: "", bars: 120 } as const;

/** Strategies, what trades of them, and templates to begin with. */
export default function Strategies() {
  const navigate = useNavigate();
  const role = useRole();
  const [withArchived, archived] = useUrlState("archived", false, (found) => (found === true ? true : null));
  const workflows = useWorkflows(withArchived);
  const { standings, names: deployed } = useStandings(workflows.data ?? []);
  const [asked, ask] = useState<{ ask: Ask; of: Standing } | null>(null);
  const [isNew, begin] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const names = (workflows.data ?? []).map((one) => one.name);
  const { send, isSending, failure } = useSending(async (chosen: File) => {
    const document = JSON.parse(await chosen.text()) as { name?: unknown };
    const name = freeName(typeof document.name === "string" ? document.name : chosen.name.replace(/\.json$/, ""), names);
    const made = await answered(api.POST("/api/v1/workflows/import", { body: { document: asDocument(document), name } }));
    await changed();
    await open(made.workflow_id);
  });
  const open = (id: string) => navigate({ to: "/strategies/$id", params: { id }, search: OPENED });
  const why = mayTrade(role) ? "" : "A viewer makes no strategies";
  return (
    <div className="page">
      <div className="page-title">
        <h1>Strategies</h1>
        <span className="dim">{workflows.data === undefined ? "" : `${standings.filter((one) => one.running.length > 0).length} of ${names.length} trade`}</span>
        <div className="page-actions">
          <Button variant="default" leftSection={<Upload size={14} aria-hidden />} loading={isSending} disabled={why !== ""} title={why} onClick={() => file.current?.click()}>
            Import
          </Button>
          <Button leftSection={<Plus size={14} aria-hidden />} disabled={why !== ""} title={why} onClick={() => begin(true)}>
            New strategy
          </Button>
        </div>
      </div>
      {failure !== "" && (
        <p role="alert" className="danger page-wide">
          {failure}
        </p>
      )}
      <Pane
        title="Strategies"
        isFlush
        actions={<Checkbox size="xs" label="Archived too" checked={withArchived} onChange={(event) => archived(event.currentTarget.checked)} />}
      >
        <Asked query={workflows} what="Strategies" height={160}>
          {() => <StrategyTable rows={standings} onAsk={(what, of) => ask({ ask: what, of })} />}
        </Asked>
      </Pane>
      <Deployments names={deployed} />
      <Templates names={names} />
      <Algorithms />
      <input
        ref={file}
        type="file"
        accept=".json,application/json"
        aria-label="Strategy to import"
        hidden
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (chosen !== undefined) void send(chosen);
        }}
      />
      {isNew && (
        <NameDialog
          title="New strategy"
          name={freeName("Strategy", names)}
          verb="Begin"
          timeframes={TIMEFRAMES}
          onDone={async (name, timeframe) => {
            const made = await create(name, starter(name, timeframe), "Begun empty");
            await changed();
            await open(made.workflow_id);
          }}
          onClose={() => begin(false)}
        />
      )}
      {asked !== null && <StrategyDialogs ask={asked.ask} of={asked.of} names={names} onClose={() => ask(null)} />}
    </div>
  );
}
