import { ActionIcon, CopyButton, Button, Tabs } from "@mantine/core";
import { ChevronDown, ChevronUp } from "lucide-react";
import { clock } from "../format/times";
import { useBench, useDrawing } from "./context";
import { Preview, type PreviewProps } from "./Preview";
import { type Problem, graphOf } from "./store";
import { Way } from "./Way";
import "./drawer.css";

export const TABS = ["problems", "preview", "log", "code"] as const;
export type Tab = (typeof TABS)[number];

interface DrawerProps extends PreviewProps {
  tab: Tab;
  isOpen: boolean;
  onTab: (tab: Tab) => void;
  onToggle: () => void;
  onJump: (node: string) => void;
}

/** What the graph lacks, gives, did, and is. */
export function Drawer({ tab, isOpen, onTab, onToggle, onJump, ...preview }: DrawerProps) {
  const examined = useDrawing((state) => state.examined);
  const problems = examined?.problems.length ?? 0;
  const warnings = examined?.warnings.length ?? 0;
  return (
    <section className={`drawer${isOpen ? "" : " is-shut"}`} aria-label="Below the canvas">
      <Tabs value={tab} onChange={(next) => next !== null && onTab(next as Tab)} keepMounted={false} className="drawer-tabs">
        <Tabs.List>
          <Tabs.Tab value="problems">
            Problems{" "}
            <span className={problems > 0 ? "danger" : warnings > 0 ? "warn" : "dim"}>
              {problems > 0 ? problems : warnings > 0 ? `${warnings} to know` : examined === null ? "" : "0"}
            </span>
          </Tabs.Tab>
          <Tabs.Tab value="preview">Preview</Tabs.Tab>
          <Tabs.Tab value="log">Log</Tabs.Tab>
          <Tabs.Tab value="code">Code</Tabs.Tab>
        </Tabs.List>
        {isOpen && (
          <>
            <Tabs.Panel value="problems" className="drawer-panel" tabIndex={0}>
              <Problems onJump={onJump} />
            </Tabs.Panel>
            <Tabs.Panel value="preview" className="drawer-panel" tabIndex={0}>
              <Preview {...preview} />
            </Tabs.Panel>
            <Tabs.Panel value="log" className="drawer-panel" tabIndex={0}>
              <Log />
            </Tabs.Panel>
            <Tabs.Panel value="code" className="drawer-panel" tabIndex={0}>
              <Code />
            </Tabs.Panel>
          </>
        )}
      </Tabs>
      <ActionIcon variant="subtle" color="gray" size={24} className="drawer-toggle" aria-label={isOpen ? "Hide what is below" : "Show what is below"} onClick={onToggle}>
        {isOpen ? <ChevronDown size={14} /> : <ChevronUp size={14} />}
      </ActionIcon>
    </section>
  );
}

function Problems({ onJump }: { onJump: (node: string) => void }) {
  const examined = useDrawing((state) => state.examined);
  if (examined === null) return <p className="state">The graph is being checked.</p>;
  if (examined.problems.length + examined.warnings.length === 0) {
    return (
      <p className="state">
        No problem: it can run, and decides from bar {examined.warmUp + 1} on.
      </p>
    );
  }
  const rows: [Problem, string][] = [
    ...examined.problems.map((one): [Problem, string] => [one, "danger"]),
    ...examined.warnings.map((one): [Problem, string] => [one, "warn"]),
  ];
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Code</th>
          <th>Where</th>
          <th>What is wrong</th>
          <th>What to do</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([one, tone], place) => (
          <tr key={`${place}${one.code}${one.node}${one.port}`}>
            <td className={`mono ${tone}`}>{one.code}</td>
            <td>
              {one.node === "" ? (
                <span className="dim">strategy</span>
              ) : (
                <button type="button" className="plain-link mono" onClick={() => onJump(one.node)}>
                  {one.node}
                  {one.port === "" ? "" : `.${one.port}`}
                </button>
              )}
            </td>
            <td className="wrap">{one.message}</td>
            <td className="wrap">{one.fix}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Log() {
  const log = useDrawing((state) => state.log);
  if (log.length === 0) return <p className="state">What is saved and run here is told here.</p>;
  return (
    <ol className="log" aria-label="Log" aria-live="polite">
      {log.map((line) => (
        <li key={`${line.at}${line.text}`} className={line.tone}>
          <time dateTime={line.at} className="dim">
            {clock(new Date(line.at))}
          </time>
          <span>{line.text}</span>
          {line.to !== undefined && <Way to={line.to}>Open</Way>}
        </li>
      ))}
    </ol>
  );
}

function Code() {
  const graph = useDrawing(graphOf);
  const { catalogue } = useBench();
  const text = JSON.stringify(graph, null, 2);
  return (
    <div className="code">
      <div className="code-head">
        <span className="dim">
          What is stored, {catalogue.newest.size} node types known. The layout is no part of the hash.
        </span>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      </div>
      <pre aria-label="Graph as JSON">{text}</pre>
    </div>
  );
}
