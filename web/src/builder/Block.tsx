import { Handle, type NodeProps, Position, useConnection } from "@xyflow/react";
import { TriangleAlert } from "lucide-react";
import { memo, useContext } from "react";
import { PreviewContext, useBench, useDrawing } from "./context";
import { type GraphNode, type InputPort, nodeOf, type NodeType, type OutputPort } from "./graph";
import { refusal } from "./ports";
import { graphOf } from "./store";
import { Trace } from "./Trace";
import { valueText } from "./values";

const TRACE_WIDTH = 120;
const TRACE_HEIGHT = 20;

/** One node: what it is and how it is set, its ports, and what it gave over the last bars. */
export const Block = memo(function Block({ id, selected }: NodeProps) {
  const { catalogue } = useBench();
  const node = useDrawing((state) => nodeOf(graphOf(state), id));
  const worst = useDrawing((state) =>
    state.examined?.problems.some((each) => each.node === id)
      ? "danger"
      : state.examined?.warnings.some((each) => each.node === id)
        ? "warn"
        : "",
  );
  if (node === undefined) return null;
  const type = catalogue.of(node);
  const rows = Math.max(type?.inputs.length ?? 0, type?.outputs.length ?? 0, 1);
  return (
    <div className={`block${selected ? " is-selected" : ""}${worst === "" ? "" : ` is-${worst}`}`}>
      <div className="block-head">
        <strong>{node.type}</strong>
        <span className="block-id">{node.id}</span>
        {worst !== "" && <TriangleAlert size={12} className={worst} aria-label={worst === "danger" ? "has problems" : "has warnings"} />}
      </div>
      <div className="block-set">{summary(node, type)}</div>
      {Array.from({ length: rows }, (_, row) => (
        <div className="block-row" key={row}>
          <In node={id} port={type?.inputs[row]} />
          <Out node={id} port={type?.outputs[row]} />
        </div>
      ))}
      <Foot id={id} type={type} />
    </div>
  );
});

/** The parameters that say most, those that are set first. */
function summary(node: GraphNode, type: NodeType | undefined): string {
  if (type === undefined) return "unknown here";
  const parts = type.params
    .filter((param) => param.name in node.params || param.is_required || param.kind === "int")
    .map((param) => {
      const value = node.params[param.name] ?? param.default;
      return value === "" || value === false ? null : `${param.name} ${value === null ? "?" : value}`;
    })
    .filter((part) => part !== null);
  return parts.slice(0, 3).join(" \u00b7 ");
}

function In({ node, port }: { node: string; port: InputPort | undefined }) {
  const { catalogue, store } = useBench();
  const end = `${node}.${port?.name ?? ""}`;
  const fit = useConnection((connection) => {
    if (!connection.inProgress || connection.fromHandle?.type !== "source" || port === undefined) return "";
    const from = `${connection.fromHandle.nodeId}.${connection.fromHandle.id ?? ""}`;
    return refusal(graphOf(store.getState()), catalogue, { from, to: end }) === null ? " is-fit" : " is-unfit";
  });
  if (port === undefined) return <span />;
  const need = port.is_required ? "" : ", may stay open";
  return (
    <span className={`port${fit}`} title={`${end} takes ${port.accepts.join(" or ")}${port.is_many ? ", several" : ""}${need}`}>
      <Handle type="target" position={Position.Left} id={port.name} className={`plug is-${port.kind.toLowerCase()}`} />
      <span className={port.is_required ? "" : "dim"}>{port.name}</span>
      {port.is_many && <span className="dim"> *</span>}
    </span>
  );
}

function Out({ node, port }: { node: string; port: OutputPort | undefined }) {
  if (port === undefined) return <span />;
  return (
    <span className="port is-out" title={`${node}.${port.name} carries ${port.kind}`}>
      {port.name}
      <Handle type="source" position={Position.Right} id={port.name} className={`plug is-${port.kind.toLowerCase()}`} />
    </span>
  );
}

function Foot({ id, type }: { id: string; type: NodeType | undefined }) {
  const previewed = useContext(PreviewContext);
  const wired = useDrawing((state) => type?.outputs.find((port) => graphOf(state).edges.some((wire) => wire.from === `${id}.${port.name}`))?.name);
  const port = wired ?? type?.outputs[0]?.name ?? type?.inputs[0]?.name ?? "";
  const traced = previewed?.series.get(`${id}.${port}`);
  if (traced === undefined) {
    return (
      <div className="block-foot dim" title={previewed?.leftOut.get(id)}>
        {previewed?.leftOut.get(id) ?? ""}
      </div>
    );
  }
  return (
    <div className="block-foot" title={`${id}.${port} over the last ${traced.values.length} bars of ${previewed?.symbol ?? ""}`}>
      <Trace of={traced} width={TRACE_WIDTH} height={TRACE_HEIGHT} />
      <span className="num">{valueText(traced.kind, traced.values.at(-1))}</span>
    </div>
  );
}
