import { ActionIcon, Button } from "@mantine/core";
import { Maximize, Play, Redo2, Save, Undo2, Workflow } from "lucide-react";
import { clock } from "../format/times";
import { useBench, useDraftState, useDrawing } from "./context";
import type { DraftState } from "./keeping";
import { isUnsaved } from "./store";
import { VersionMenu } from "./VersionMenu";

export interface Deeds {
  save: () => void;
  run: () => void;
  arrange: () => void;
  fit: () => void;
  isBusy: boolean;
}

/** What is open, how it stands, and what can be done with the whole of it. */
export function TopBar({ save, run, arrange, fit, isBusy }: Deeds) {
  const { workflow, store, isReadOnly } = useBench();
  const version = useDrawing((state) => state.base.version);
  const unsaved = useDrawing(isUnsaved);
  const problems = useDrawing((state) => state.examined?.problems.length ?? 0);
  const canUndo = useDrawing((state) => state.history.past.length > 0);
  const canRedo = useDrawing((state) => state.history.future.length > 0);
  const draft = useDraftState();
  const { undo, redo } = store.getState();
  const whyNoSave = isReadOnly
    ? "You may look at this strategy, not change it: duplicate it to go on with your own."
    : !unsaved
      ? `Version ${version} holds all of this.`
      : problems > 0
        ? `${problems} ${problems === 1 ? "problem keeps" : "problems keep"} it from being a version. Your draft is kept all the same.`
        : "Ctrl S";
  return (
    <div className="builder-bar">
      <h1 title={workflow.name}>{workflow.name}</h1>
      <span className="chip">v{version}</span>
      <span className="builder-state" role="status">
        {stateText(unsaved, draft, isReadOnly)}
      </span>
      <div className="page-actions builder-actions">
        <Tool label="Undo" hint="Ctrl Z" isOff={!canUndo} onClick={undo} icon={<Undo2 size={16} />} />
        <Tool label="Redo" hint="Ctrl Shift Z" isOff={!canRedo} onClick={redo} icon={<Redo2 size={16} />} />
        <Tool label="Arrange" hint="Lay all nodes out along their wires" isOff={isReadOnly} onClick={arrange} icon={<Workflow size={16} />} />
        <Tool label="Fit" hint="Show the whole graph (F)" isOff={false} onClick={fit} icon={<Maximize size={16} />} />
        <VersionMenu />
        <Button
          variant="default"
          leftSection={<Save size={14} aria-hidden />}
          data-disabled={isReadOnly || !unsaved || problems > 0}
          aria-disabled={isReadOnly || !unsaved || problems > 0}
          loading={isBusy}
          title={whyNoSave}
          onClick={save}
        >
          Save version
        </Button>
        <Button leftSection={<Play size={14} aria-hidden />} title="Saves first, then runs that version (Ctrl Enter)" onClick={run}>
          Run
        </Button>
      </div>
    </div>
  );
}

function Tool({ label, hint, isOff, onClick, icon }: { label: string; hint: string; isOff: boolean; onClick: () => void; icon: React.ReactNode }) {
  return (
    <ActionIcon variant="subtle" color="gray" size={28} aria-label={label} title={`${label}: ${hint}`} disabled={isOff} onClick={onClick}>
      {icon}
    </ActionIcon>
  );
}

function stateText(unsaved: boolean, draft: DraftState, isReadOnly: boolean): string {
  if (isReadOnly) return "View only";
  if (draft.kind === "conflict") return "Stopped: somebody else changed it";
  if (!unsaved) return "Saved";
  if (draft.kind === "kept") return `Unsaved, draft kept ${clock(new Date(draft.at))}`;
  if (draft.kind === "failed") return `Unsaved, draft not kept: ${draft.reason}`;
  return "Unsaved";
}
