import "@mantine/core/styles/Pill.layer.css";
import "@mantine/core/styles/PillsInput.layer.css";
import { MultiSelect, Select } from "@mantine/core";
import { useMemo } from "react";
import { useBench, useDrawing } from "./context";
import { withInputs } from "./editing";
import type { GraphNode, InputPort, NodeType } from "./graph";
import { offers } from "./ports";
import { graphOf } from "./store";

const REASON_CHARS = 60;

/** What is wired to each input, chosen from a list: the way to draw wires by keyboard. */
export function Inputs({ node, type }: { node: GraphNode; type: NodeType }) {
  return (
    <>
      <h3>Inputs</h3>
      {type.inputs.map((port) => (
        <Input key={`${node.id}.${port.name}`} node={node} port={port} />
      ))}
    </>
  );
}

function Input({ node, port }: { node: GraphNode; port: InputPort }) {
  const { catalogue, store, isReadOnly } = useBench();
  const graph = useDrawing(graphOf);
  const end = `${node.id}.${port.name}`;
  const wired = graph.edges.filter((wire) => wire.to === end).map((wire) => wire.from);
  const data = useMemo(() => {
    const found = offers(graph, catalogue, end);
    const fit = found.filter((one) => one.reason === null).map(({ from }) => ({ value: from, label: from }));
    const unfit = found.filter((one) => one.reason !== null);
    const said = unfit.map(({ from, reason }) => ({ value: from, label: `${from}: ${shortReason(from, reason ?? "")}`, disabled: true }));
    return [
      { group: `carry ${port.accepts.join(" or ")}`, items: fit },
      { group: "do not fit", items: said },
    ].filter(({ items }) => items.length > 0);
  }, [graph, catalogue, end, port]);
  const wire = (from: readonly string[]) => store.getState().change((now) => withInputs(now, catalogue, end, from));
  const about = {
    label: port.name,
    description: `${port.accepts.join(" or ")}${port.is_many ? ", several" : ""}${port.is_required ? "" : ", may stay open"}`,
    data,
    searchable: true,
    selectFirstOptionOnChange: true,
    disabled: isReadOnly,
    error: port.is_required && wired.length === 0 ? "Needed: not wired yet." : null,
    nothingFoundMessage: "No output is called so",
  };
  return port.is_many ? (
    <MultiSelect {...about} size="xs" clearable value={wired} onChange={wire} comboboxProps={{ transitionProps: { duration: 0 } }} />
  ) : (
    <Select
      {...about}
      clearable
      placeholder="Not wired"
      value={wired[0] ?? null}
      onChange={(chosen) => wire(chosen === null ? [] : [chosen])}
    />
  );
}

function shortReason(from: string, reason: string): string {
  const own = reason.startsWith(from) ? reason.slice(from.length).trim() : reason;
  const first = own.split(/[.,]/)[0] ?? own;
  return first.length > REASON_CHARS ? `${first.slice(0, REASON_CHARS)}\u2026` : first;
}
