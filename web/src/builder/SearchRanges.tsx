import "@mantine/core/styles/Checkbox.layer.css";
import { Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { useBench, useDrawing } from "./context";
import { withExposure } from "./editing";
import type { Exposure, GraphNode, NodeType, Param } from "./graph";
import { isSearchable, rangeAround, readParam } from "./params";
import { graphOf } from "./store";

const ENDS = ["min", "max", "step"] as const;

/** Which numbers of a node a search may turn, and how far. */
export function SearchRanges({ node, type }: { node: GraphNode; type: NodeType }) {
  const params = type.params.filter(isSearchable);
  if (params.length === 0) return null;
  return (
    <>
      <h3>Search</h3>
      {params.map((param) => (
        <Range key={`${node.id}.${param.name}`} node={node} param={param} />
      ))}
    </>
  );
}

function Range({ node, param }: { node: GraphNode; param: Param }) {
  const { store, isReadOnly } = useBench();
  const key = `${node.id}.${param.name}`;
  const exposure = useDrawing((state) => graphOf(state).exposed[key]);
  const value = node.params[param.name] ?? param.default;
  const set = (next: Exposure | undefined, mark = "") => store.getState().change((graph) => withExposure(graph, key, next), mark);
  return (
    <div className="range">
      <Checkbox
        size="xs"
        label={`Search ${param.name}`}
        checked={exposure !== undefined}
        disabled={isReadOnly || value === null}
        onChange={(event) => set(event.currentTarget.checked && value !== null ? rangeAround(param, value) : undefined)}
      />
      {exposure !== undefined && (
        <div className="range-ends">
          {ENDS.map((end) => (
            <End key={end} end={end} param={param} exposure={exposure} isReadOnly={isReadOnly} onChange={(next) => set(next, `range ${key}.${end}`)} />
          ))}
        </div>
      )}
    </div>
  );
}

interface EndProps {
  end: (typeof ENDS)[number];
  param: Param;
  exposure: Exposure;
  isReadOnly: boolean;
  onChange: (next: Exposure) => void;
}

function End({ end, param, exposure, isReadOnly, onChange }: EndProps) {
  const [typed, type] = useState<string | null>(null);
  const bare = { ...param, minimum: end === "step" ? "0" : param.minimum, is_minimum_open: end === "step" || param.is_minimum_open };
  const given = typed === null ? null : readParam(bare, typed);
  return (
    <TextInput
      aria-label={`${end} of ${param.name}`}
      leftSection={<span className="range-end">{end}</span>}
      leftSectionWidth={34}
      classNames={{ input: "mono" }}
      value={typed ?? String(exposure[end])}
      disabled={isReadOnly}
      error={given !== null && (!given.isRight || given.value === undefined)}
      onChange={(event) => {
        const text = event.currentTarget.value;
        type(text);
        const read = readParam(bare, text);
        if (read.isRight && read.value !== undefined) onChange({ ...exposure, [end]: read.value });
      }}
      onBlur={() => type(null)}
    />
  );
}
