import "@xyflow/react/dist/style.css";
import "./canvas.css";
import {
  Background,
  BackgroundVariant,
  type Connection,
  Controls,
  type Edge,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type Node,
  type NodeChange,
  ReactFlow,
  useReactFlow,
} from "@xyflow/react";
import { type DragEvent, type MouseEvent as ReactMouseEvent, useMemo, useRef, useState } from "react";
import { Block } from "./Block";
import { useBench, useDrawing } from "./context";
import { inserted, moved, withNode, withoutWires, withWire } from "./editing";
import { flowEdges, flowNodes, type Measured, wireOf } from "./flow";
import { type Graph, type Wire, wireKey } from "./graph";
import { refusal } from "./ports";
import { DRAGGED } from "./Palette";
import { SNAP, WIDTH } from "./sizes";
import { graphOf } from "./store";

const NODE_TYPES = { block: Block };
const GRID: [number, number] = [SNAP, SNAP];
const FIT = { padding: 0.12, maxZoom: 1 };
/** A long graph is opened as large as it can be read, from its middle. */
const OPENING = { padding: 0.06, minZoom: 0.5, maxZoom: 1 };
const MINIMAP_FROM = 25;

/** The graph, drawn. What it shows is the store's; what is done here is said to the store. */
export function Canvas({ onQuickAdd }: { onQuickAdd: (at: [number, number]) => void }) {
  const { catalogue, store, isReadOnly } = useBench();
  const graph = useDrawing(graphOf);
  const selected = useDrawing((state) => state.nodes);
  const selectedWires = useDrawing((state) => state.wires);
  const [measured, measure] = useState<Measured>({});
  const before = useRef(new Map<string, Node>());
  const flow = useReactFlow();

  const nodes = useMemo(() => {
    const next = flowNodes(graph, catalogue, { selected, measured, before: before.current });
    before.current = new Map(next.map((node) => [node.id, node]));
    return next;
  }, [graph, catalogue, selected, measured]);
  const edges = useMemo(() => flowEdges(graph, catalogue, selectedWires), [graph, catalogue, selectedWires]);

  const onNodesChange = (changes: NodeChange[]) => {
    const { change, settle, select } = store.getState();
    const places: Record<string, [number, number]> = {};
    const sizes: Record<string, { width: number; height: number }> = {};
    const chosen = new Set(store.getState().nodes);
    let isOver = false;
    let isChosen = false;
    for (const one of changes) {
      if (one.type === "position" && one.position !== undefined) {
        places[one.id] = [one.position.x, one.position.y];
        isOver ||= one.dragging === false;
      } else if (one.type === "dimensions" && one.dimensions !== undefined) sizes[one.id] = one.dimensions;
      else if (one.type === "select") {
        isChosen = true;
        if (one.selected) chosen.add(one.id);
        else chosen.delete(one.id);
      }
    }
    if (isChosen) select(chosen, store.getState().wires);
    if (Object.keys(sizes).length > 0) measure((old) => ({ ...old, ...sizes }));
    if (Object.keys(places).length > 0 && !isReadOnly) change((now) => moved(now, places), "move");
    if (isOver) settle();
  };

  const onEdgesChange = (changes: EdgeChange[]) => {
    const chosen = new Set(store.getState().wires);
    for (const one of changes) {
      if (one.type === "select" && one.selected) chosen.add(one.id);
      if (one.type === "select" && !one.selected) chosen.delete(one.id);
    }
    store.getState().select(store.getState().nodes, chosen);
  };

  const why = (drawn: Connection | Edge, within?: Graph) => refusal(within ?? graphOf(store.getState()), catalogue, wireOf(drawn));

  const onConnect = (drawn: Connection) => {
    if (why(drawn) === null) store.getState().change((now) => withWire(now, catalogue, wireOf(drawn)));
  };

  const onReconnect = (old: Edge, drawn: Connection) => {
    const cut = withoutWires(graphOf(store.getState()), new Set([old.id]));
    const reason = why(drawn, cut);
    if (reason === null) store.getState().change(() => withWire(cut, catalogue, wireOf(drawn)));
    else store.getState().refuse(reason);
  };

  const onConnectEnd = (_event: unknown, { isValid, fromHandle, toHandle }: FinalConnectionState) => {
    if (isValid === true || fromHandle === null || toHandle === null) return;
    const isForward = fromHandle.type === "source";
    const [out, into] = isForward ? [fromHandle, toHandle] : [toHandle, fromHandle];
    const wire = { from: `${out.nodeId}.${out.id ?? ""}`, to: `${into.nodeId}.${into.id ?? ""}` };
    store.getState().refuse(refusal(graphOf(store.getState()), catalogue, wire) ?? "");
  };

  const wireAt = (x: number, y: number): Wire | undefined => {
    const found = document.elementsFromPoint(x, y).map((element) => element.closest<SVGElement>(".react-flow__edge"));
    const id = found.find((element) => element !== null)?.dataset["id"];
    return graphOf(store.getState()).edges.find((wire) => wireKey(wire) === id);
  };

  const onDrop = (event: DragEvent) => {
    const type = event.dataTransfer.getData(DRAGGED);
    if (type === "" || isReadOnly) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const wire = wireAt(event.clientX, event.clientY);
    const { change, select, refuse } = store.getState();
    const [next, id] = withNode(graphOf(store.getState()), catalogue, type, [x - WIDTH / 2, y - 24]);
    const between = wire === undefined ? null : inserted(next, catalogue, wire, id);
    change(() => between ?? next);
    select([id]);
    if (wire !== undefined && between === null) refuse(`${type} does not fit into ${wire.from} \u2192 ${wire.to}: its kinds are others.`);
  };

  const onNodeDragStop = (event: ReactMouseEvent | MouseEvent | TouchEvent, node: Node) => {
    if (!("clientX" in event) || isReadOnly) return;
    const isWired = graphOf(store.getState()).edges.some((wire) => wire.from.startsWith(`${node.id}.`) || wire.to.startsWith(`${node.id}.`));
    const wire = isWired ? undefined : wireAt(event.clientX, event.clientY);
    const between = wire === undefined ? null : inserted(graphOf(store.getState()), catalogue, wire, node.id);
    if (between !== null) store.getState().change(() => between);
  };

  return (
    <ReactFlow
      aria-label="Canvas"
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onConnect={onConnect}
      onReconnect={onReconnect}
      onConnectEnd={onConnectEnd}
      isValidConnection={(drawn) => why(drawn) === null}
      onNodeDragStop={onNodeDragStop}
      onDragOver={(event) => event.preventDefault()}
      onDrop={onDrop}
      onDoubleClick={(event) => {
        if (!(event.target instanceof Element) || event.target.closest(".react-flow__node") !== null) return;
        const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
        onQuickAdd([x, y]);
      }}
      zoomOnDoubleClick={false}
      deleteKeyCode={null}
      nodesDraggable={!isReadOnly}
      nodesConnectable={!isReadOnly}
      edgesReconnectable={!isReadOnly}
      snapToGrid
      snapGrid={GRID}
      minZoom={0.2}
      maxZoom={2}
      fitView
      fitViewOptions={OPENING}
      connectionRadius={24}
      defaultEdgeOptions={{ interactionWidth: 20, focusable: true }}
    >
      <Background variant={BackgroundVariant.Dots} gap={SNAP * 2} size={1} />
      <Controls showInteractive={false} fitViewOptions={FIT} />
      {graph.nodes.length > MINIMAP_FROM && <MiniMap pannable zoomable ariaLabel="Map of the canvas" />}
    </ReactFlow>
  );
}
