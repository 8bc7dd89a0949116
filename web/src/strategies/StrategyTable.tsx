import { ActionIcon, Menu } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Copy, Download, Ellipsis, Pencil, Play, Radio, Share2, Square, Workflow } from "lucide-react";
import { answered, api } from "../api/client";
import { saveFile } from "../builder/documents";
import { percent, profit, ratio, tone } from "../format/numbers";
import { mayTrade, useRole } from "../session/session";
import { type Column, DataTable } from "../tables/DataTable";
import type { Standing } from "./standing";

export type Ask = "rename" | "duplicate" | "archive" | "share" | "paper" | "live" | "stop";

const OPENED = { tab: "problems", symbol: "", bars: 120 } as const;

const COLUMNS: readonly Column<Standing>[] = [
  {
    id: "name",
    head: "Name",
    value: ({ workflow }) => workflow.name,
    cell: ({ workflow }) => (
      <Link to="/strategies/$id" params={{ id: workflow.workflow_id }} search={OPENED}>
        {workflow.name}
      </Link>
    ),
  },
  { id: "symbol", head: "Symbol", value: ({ symbols }) => symbols },
  { id: "version", head: "Version", value: ({ workflow }) => workflow.version, isNumeric: true },
  { id: "state", head: "State", value: ({ state }) => state, cell: ({ state }) => <span className={`standing is-${state}`}>{state}</span> },
  {
    id: "result",
    head: "Last result",
    isNumeric: true,
    value: ({ lastTest }) => lastTest?.figures["total_return"] ?? null,
    cell: ({ lastTest }) => (lastTest === null ? "\u2014" : <LastResult status={lastTest.status} figures={lastTest.figures} />),
  },
  {
    id: "open",
    head: "Open P&L",
    isNumeric: true,
    value: ({ open }) => open,
    cell: ({ open }) => <span className={tone(open)}>{profit(open)}</span>,
  },
  {
    id: "warnings",
    head: "Warnings",
    value: ({ warnings }) => warnings.join("; "),
    cell: ({ warnings }) => (warnings.length === 0 ? "" : <span className="warn">{warnings.join("; ")}</span>),
  },
  { id: "updated", head: "Changed", value: ({ workflow }) => workflow.updated_at.slice(0, 16).replace("T", " ") },
];

function LastResult({ status, figures }: { status: string; figures: Readonly<Record<string, number | null>> }) {
  if (status !== "finished") return <span className="dim">{status}</span>;
  const net = figures["total_return"];
  return (
    <>
      <span className={tone(net ?? null)}>{percent(net, { isSigned: true })}</span> <span className="dim">Sharpe {ratio(figures["sharpe"])}</span>
    </>
  );
}

/** All strategies, and what can be done with each. */
export function StrategyTable({ rows, onAsk }: { rows: readonly Standing[]; onAsk: (ask: Ask, of: Standing) => void }) {
  const navigate = useNavigate();
  return (
    <DataTable
      name="Strategies"
      rows={rows}
      columns={COLUMNS}
      keyOf={({ workflow }) => workflow.workflow_id}
      order="-updated"
      onOpen={({ workflow }) => void navigate({ to: "/strategies/$id", params: { id: workflow.workflow_id }, search: OPENED })}
      actions={(row) => <RowMenu of={row} onAsk={(ask) => onAsk(ask, row)} />}
      empty="No strategy yet: open one of the templates below, or begin an empty one."
    />
  );
}

async function exported({ workflow }: Standing): Promise<void> {
  const params = { path: { version_id: workflow.version_id } };
  const { document } = await answered(api.GET("/api/v1/workflow-versions/{version_id}/export", { params }));
  saveFile(`${workflow.name} v${workflow.version}.json`, JSON.stringify(document, null, 2));
}

function RowMenu({ of, onAsk }: { of: Standing; onAsk: (ask: Ask) => void }) {
  const navigate = useNavigate();
  const role = useRole();
  const { workflow, running } = of;
  const allowed = workflow.permissions ?? [];
  const isOwner = allowed.includes("owner") && mayTrade(role);
  const isArchived = workflow.archived_at != null;
  const canRun = (isOwner || allowed.includes("execute")) && !isArchived && mayTrade(role);
  const open = () => void navigate({ to: "/strategies/$id", params: { id: workflow.workflow_id }, search: OPENED });
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={22} aria-label={`What to do with ${workflow.name}`}>
          <Ellipsis size={14} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Workflow size={14} aria-hidden />} onClick={open}>
          Open
        </Menu.Item>
        <Menu.Item leftSection={<Play size={14} aria-hidden />} disabled={!canRun} onClick={() => onAsk("paper")}>
          Start on paper
        </Menu.Item>
        <Menu.Item leftSection={<Radio size={14} aria-hidden />} disabled={!canRun} onClick={() => onAsk("live")}>
          Start live
        </Menu.Item>
        <Menu.Item leftSection={<Square size={14} aria-hidden />} disabled={running.length === 0 || !mayTrade(role)} onClick={() => onAsk("stop")}>
          {running.length === 0 ? "Stop (nothing runs)" : "Stop"}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<Copy size={14} aria-hidden />} disabled={!mayTrade(role)} onClick={() => onAsk("duplicate")}>
          Duplicate
        </Menu.Item>
        <Menu.Item leftSection={<Pencil size={14} aria-hidden />} disabled={!isOwner} onClick={() => onAsk("rename")}>
          Rename
        </Menu.Item>
        <Menu.Item leftSection={<Share2 size={14} aria-hidden />} disabled={!isOwner} onClick={() => onAsk("share")}>
          Share
        </Menu.Item>
        <Menu.Item leftSection={<Download size={14} aria-hidden />} onClick={() => void exported(of)}>
          Export
        </Menu.Item>
        <Menu.Item leftSection={isArchived ? <ArchiveRestore size={14} aria-hidden /> : <Archive size={14} aria-hidden />} disabled={!isOwner} onClick={() => onAsk("archive")}>
          {isArchived ? "Take out of the archive" : "Archive"}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
