import { Button, TextInput } from "@mantine/core";
import { Copy, Trash2 } from "lucide-react";
import { type RefObject, useContext, useEffect, useState } from "react";
import { PreviewContext, useBench, useDrawing } from "./context";
import { copied, pasted } from "./clipboard";
import { renamed, renameRefusal, withoutNodes, withoutWires, withParam } from "./editing";
import { type GraphNode, nodeOf, type NodeType, wireKey } from "./graph";
import { Inputs } from "./Inputs";
import { ParamField } from "./ParamField";
import { SearchRanges } from "./SearchRanges";
import { graphOf } from "./store";
import { StrategyFields } from "./StrategyFields";
import { valueText } from "./values";
import "./inspector.css";

/** What is chosen, and all that can be said of it; the strategy itself where nothing is. */
export function Inspector({ first }: { first: RefObject<HTMLInputElement | null> }) {
  const nodes = useDrawing((state) => state.nodes);
  const wires = useDrawing((state) => state.wires);
  const node = useDrawing((state) => (state.nodes.size === 1 ? nodeOf(graphOf(state), [...state.nodes][0] ?? "") : undefined));
  return (
    <section className="inspector" aria-label="Inspector">
      {node !== undefined ? (
        <NodeFields key={node.type} node={node} first={first} />
      ) : nodes.size > 1 ? (
        <Several ids={nodes} />
      ) : wires.size > 0 ? (
        <Wires keys={wires} />
      ) : (
        <StrategyFields first={first} />
      )}
    </section>
  );
}

function NodeFields({ node, first }: { node: GraphNode; first: RefObject<HTMLInputElement | null> }) {
  const { catalogue, store, isReadOnly } = useBench();
  const type = catalogue.of(node);
  const problems = (useDrawing((state) => state.examined?.problems) ?? []).filter((each) => each.node === node.id);
  const { change, settle } = store.getState();
  return (
    <>
      <header className="inspector-head">
        <h2>{node.type}</h2>
        <span className="dim">{type?.group.replace(/_/g, " ")}</span>
      </header>
      <p className="inspector-help">{type?.summary ?? "This Alphintra does not know the node: remove it, or update."}</p>
      {problems.map((each) => (
        <p className="danger inspector-help" key={`${each.code}${each.port}${each.message}`}>
          {each.message}: {each.fix}.
        </p>
      ))}
      <Name node={node} first={first} />
      {type !== undefined && type.params.length > 0 && (
        <>
          <h3>Parameters</h3>
          {type.params.map((param) => (
            <ParamField
              key={`${node.id}.${param.name}`}
              param={param}
              value={node.params[param.name]}
              isReadOnly={isReadOnly}
              onChange={(value) => change((graph) => withParam(graph, node.id, param.name, value), `param ${node.id}.${param.name}`)}
              onSettle={settle}
            />
          ))}
        </>
      )}
      {type !== undefined && type.inputs.length > 0 && <Inputs node={node} type={type} />}
      {type !== undefined && type.outputs.length > 0 && <Outputs node={node} type={type} />}
      {type !== undefined && <SearchRanges node={node} type={type} />}
      {type?.warm_up_bars_by_default !== undefined && (
        <p className="dim inspector-help">
          First value after {type.lookback_bars_by_default} bars, settled after {type.warm_up_bars_by_default}, with its defaults.
        </p>
      )}
      <Actions ids={new Set([node.id])} />
    </>
  );
}

function Name({ node, first }: { node: GraphNode; first: RefObject<HTMLInputElement | null> }) {
  const { store, isReadOnly } = useBench();
  const [typed, type] = useState(node.id);
  useEffect(() => type(node.id), [node.id]);
  const objection = renameRefusal(graphOf(store.getState()), node.id, typed);
  const rename = () => {
    if (typed === node.id) return;
    if (objection !== null) {
      type(node.id);
      return;
    }
    store.getState().change((graph) => renamed(graph, node.id, typed));
    store.getState().select([typed]);
  };
  return (
    <TextInput
      ref={first}
      label="Name of the node"
      classNames={{ input: "mono" }}
      value={typed}
      disabled={isReadOnly}
      error={objection}
      onChange={(event) => type(event.currentTarget.value)}
      onBlur={rename}
      onKeyDown={(event) => {
        if (event.key === "Enter") rename();
        if (event.key === "Escape") type(node.id);
      }}
    />
  );
}

function Outputs({ node, type }: { node: GraphNode; type: NodeType }) {
  const previewed = useContext(PreviewContext);
  return (
    <>
      <h3>Outputs</h3>
      <dl className="inspector-outputs">
        {type.outputs.map((port) => {
          const traced = previewed?.series.get(`${node.id}.${port.name}`);
          return (
            <div key={port.name}>
              <dt>
                {port.name} <span className="dim">{port.kind}</span>
              </dt>
              <dd className="num">{traced === undefined ? "" : valueText(traced.kind, traced.values.at(-1))}</dd>
            </div>
          );
        })}
      </dl>
    </>
  );
}

function Several({ ids }: { ids: ReadonlySet<string> }) {
  return (
    <>
      <header className="inspector-head">
        <h2>{ids.size} nodes</h2>
      </header>
      <p className="inspector-help mono">{[...ids].join(", ")}</p>
      <Actions ids={ids} />
    </>
  );
}

function Actions({ ids }: { ids: ReadonlySet<string> }) {
  const { store, isReadOnly } = useBench();
  const { change, select } = store.getState();
  const duplicate = () => {
    const [next, made] = pasted(graphOf(store.getState()), copied(graphOf(store.getState()), ids));
    change(() => next);
    select(made);
  };
  const remove = () => {
    change((graph) => withoutNodes(graph, ids));
    select([]);
  };
  return (
    <div className="inspector-actions">
      <Button variant="default" leftSection={<Copy size={14} aria-hidden />} disabled={isReadOnly} onClick={duplicate} title="Ctrl D">
        Duplicate
      </Button>
      <Button variant="default" leftSection={<Trash2 size={14} aria-hidden />} disabled={isReadOnly} onClick={remove} title="Del">
        Remove
      </Button>
    </div>
  );
}

function Wires({ keys }: { keys: ReadonlySet<string> }) {
  const { store, isReadOnly } = useBench();
  const edges = useDrawing((state) => graphOf(state).edges);
  const chosen = edges.filter((wire) => keys.has(wireKey(wire)));
  return (
    <>
      <header className="inspector-head">
        <h2>{chosen.length === 1 ? "Wire" : `${chosen.length} wires`}</h2>
      </header>
      {chosen.map((wire) => (
        <p className="inspector-help mono" key={wireKey(wire)}>
          {wire.from} {"\u2192"} {wire.to}
        </p>
      ))}
      {chosen.length === 1 && <p className="inspector-help dim">Choose a node on the left to put it into this wire, or drop one on it.</p>}
      <div className="inspector-actions">
        <Button
          variant="default"
          leftSection={<Trash2 size={14} aria-hidden />}
          disabled={isReadOnly}
          onClick={() => {
            store.getState().change((graph) => withoutWires(graph, keys));
            store.getState().select([]);
          }}
        >
          Remove
        </Button>
      </div>
    </>
  );
}
