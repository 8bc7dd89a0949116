import { TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { type KeyboardEvent, type RefObject, useMemo, useState } from "react";
import { useBench, useDrawing } from "./context";
import { freePlace, inserted, withNode } from "./editing";
import { type NodeType, wireKey } from "./graph";
import { found } from "./searching";
import { graphOf } from "./store";

/** Under this type a node of the palette is dragged. */
export const DRAGGED = "application/x-alphintra-node";

interface PaletteProps {
  field: RefObject<HTMLInputElement | null>;
  /** Where the next node goes, if somebody pointed there. */
  place: RefObject<[number, number] | null>;
  onAdded: (id: string) => void;
}

/** All node types, by group, found by name or by what they tell. */
export function Palette({ field, place, onAdded }: PaletteProps) {
  const { catalogue, store, isReadOnly } = useBench();
  const [sought, seek] = useState("");
  const groups = useMemo(() => catalogue.groups(), [catalogue]);
  const hits = useMemo(() => (sought.trim() === "" ? null : found([...catalogue.newest.values()], sought)), [catalogue, sought]);
  const onWire = useDrawing((state) => (state.wires.size === 1 && state.nodes.size === 0 ? [...state.wires][0] : undefined));

  const add = (type: NodeType) => {
    if (isReadOnly) return;
    const { change, select, refuse, nodes } = store.getState();
    const graph = graphOf(store.getState());
    const at = place.current ?? freePlace(graph, nodes.size === 1 ? [...nodes][0] : undefined);
    place.current = null;
    const [next, id] = withNode(graph, catalogue, type.type, at);
    const wire = graph.edges.find((each) => wireKey(each) === onWire);
    const between = wire === undefined ? null : inserted(next, catalogue, wire, id);
    change(() => between ?? next);
    if (wire !== undefined && between === null) refuse(`${type.type} does not fit into ${wire.from} \u2192 ${wire.to}: its kinds are others.`);
    select([id]);
    onAdded(id);
  };

  const onKey = (event: KeyboardEvent) => {
    const first = hits?.[0];
    if (event.key === "Enter" && first !== undefined) {
      event.preventDefault();
      add(first);
      field.current?.select();
    } else if (event.key === "Escape") seek("");
  };

  return (
    <section className="palette" aria-label="Nodes to add">
      <TextInput
        ref={field}
        placeholder={`Search ${catalogue.newest.size} nodes  /`}
        aria-label="Search nodes"
        leftSection={<Search size={14} aria-hidden />}
        value={sought}
        disabled={isReadOnly}
        onChange={(event) => seek(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      {onWire !== undefined && <p className="palette-hint">The next node goes into the chosen wire.</p>}
      <div className="palette-list" tabIndex={-1}>
        {hits === null ? (
          groups.map(([group, types]) => (
            <details key={group} open={group === "source"}>
              <summary>
                {titled(group)} <span className="dim">{types.length}</span>
              </summary>
              <Types types={types} onAdd={add} />
            </details>
          ))
        ) : hits.length === 0 ? (
          <p className="palette-hint">No node is called so or tells of it.</p>
        ) : (
          <Types types={hits} onAdd={add} withSummary />
        )}
      </div>
    </section>
  );
}

function titled(group: string): string {
  const text = group.replace(/_/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Types({ types, onAdd, withSummary = false }: { types: readonly NodeType[]; onAdd: (type: NodeType) => void; withSummary?: boolean }) {
  return (
    <ul>
      {types.map((type) => (
        <li key={type.type}>
          <button
            type="button"
            className="palette-node"
            title={type.summary}
            draggable
            onDragStart={(event) => {
              event.dataTransfer.setData(DRAGGED, type.type);
              event.dataTransfer.effectAllowed = "copy";
            }}
            onClick={() => onAdd(type)}
          >
            <span>{type.type}</span>
            {withSummary && <span className="palette-summary">{type.summary}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
