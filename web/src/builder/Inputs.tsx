import "@mantine/core/styles/Pill.layer.css";
import "@mantine/core/styles/PillsInput.layer.css";
import { type ComboboxParsedItem, MultiSelect, Select } from "@mantine/core";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { useBench, useDrawing } from "./context";
import { withInputs } from "./editing";
import type { GraphNode, InputPort, NodeType } from "./graph";
import { offers } from "./ports";
import { called } from "./searching";
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
  const [fit, unfit] = useMemo(() => {
    const found = offers(graph, catalogue, end);
    return [
      found.filter((one) => one.reason === null).map(({ from }) => ({ value: from, label: from })),
      found.flatMap(({ from, reason }) => (reason === null ? [] : { value: from, label: `${from}: ${shortReason(from, reason)}`, disabled: true })),
    ];
  }, [graph, catalogue, end]);
  const data = [
    { group: `carry ${port.accepts.join(" or ")}`, items: fit },
    { group: "do not fit", items: unfit },
  ].filter(({ items }) => items.length > 0);
  const wire = (from: readonly string[]) => store.getState().change((now) => withInputs(now, catalogue, end, from));
  const typing = useTyping((text) => {
    const first = called(fit, text)[0]?.value;
    if (first !== undefined) wire(port.is_many ? [...wired.filter((each) => each !== first), first] : [first]);
    return first;
  }, port.is_many);
  const about = {
    label: port.name,
    description: `${port.accepts.join(" or ")}${port.is_many ? ", several" : ""}${port.is_required ? "" : ", may stay open"}`,
    data,
    filter: narrowed,
    searchable: true,
    selectFirstOptionOnChange: true,
    disabled: isReadOnly,
    error: port.is_required && wired.length === 0 ? "Needed: not wired yet." : null,
    nothingFoundMessage: "No output is called so",
    ...typing,
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

/** The list that goes with what is typed: what is called so itself comes first. */
function narrowed({ options, search }: { options: ComboboxParsedItem[]; search: string }): ComboboxParsedItem[] {
  return options.map((each) => ("items" in each ? { ...each, items: called(each.items, search) } : each));
}

/** Enter takes the first option of what was typed, from the text itself: the list's own mark comes a moment after it. */
function useTyping(take: (text: string) => string | undefined, isMany: boolean) {
  const [searchValue, onSearchChange] = useState("");
  const [dropdownOpened, open] = useState(false);
  const isTyped = useRef(false);
  return {
    searchValue,
    onSearchChange,
    dropdownOpened,
    onDropdownOpen: () => open(true),
    onDropdownClose: () => open(false),
    onInput: () => {
      isTyped.current = true;
    },
    onBlur: () => {
      isTyped.current = false;
    },
    onKeyDownCapture: (event: KeyboardEvent<HTMLInputElement>) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") isTyped.current = false;
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing || !isTyped.current) return;
      event.preventDefault();
      event.stopPropagation();
      const taken = take(event.currentTarget.value);
      if (taken === undefined) return;
      isTyped.current = false;
      onSearchChange(isMany ? "" : taken);
      open(isMany);
    },
  };
}

function shortReason(from: string, reason: string): string {
  const own = reason.startsWith(from) ? reason.slice(from.length).trim() : reason;
  const first = own.split(/[.,]/)[0] ?? own;
  return first.length > REASON_CHARS ? `${first.slice(0, REASON_CHARS)}\u2026` : first;
}
