import { ActionIcon, Select, TextInput } from "@mantine/core";
import { X } from "lucide-react";
import { type RefObject, useState } from "react";
import { useBench, useDrawing } from "./context";
import { graphOf } from "./store";

/** The strategy itself: what it is called, on which bars it runs, what a search may turn. */
export function StrategyFields({ first }: { first: RefObject<HTMLInputElement | null> }) {
  const { catalogue, store, isReadOnly } = useBench();
  const graph = useDrawing(graphOf);
  const examined = useDrawing((state) => state.examined);
  const { change, settle, select } = store.getState();
  const exposed = Object.entries(graph.exposed);
  return (
    <>
      <header className="inspector-head">
        <h2>Strategy</h2>
        <span className="dim">
          {graph.nodes.length} nodes, {graph.edges.length} wires
        </span>
      </header>
      <TextInput
        ref={first}
        label="Name in the graph"
        description="Part of the strategy: another name is another version."
        value={graph.name}
        disabled={isReadOnly}
        onChange={(event) => {
          const name = event.currentTarget.value;
          change((now) => ({ ...now, name }), "name");
        }}
        onBlur={settle}
      />
      <Select
        label="Timeframe"
        description="Interval of the bars it decides on."
        data={[...catalogue.timeframes]}
        value={graph.timeframe}
        disabled={isReadOnly}
        onChange={(timeframe) => timeframe !== null && change((now) => ({ ...now, timeframe }))}
      />
      <dl className="inspector-outputs">
        <div>
          <dt>Warm-up</dt>
          <dd className="num">{examined === null || examined.hash === "" ? "\u2014" : `${examined.warmUp} bars`}</dd>
        </div>
        <div>
          <dt>Hash</dt>
          <dd className="mono" title={examined?.hash}>
            {examined === null || examined.hash === "" ? "\u2014" : examined.hash.slice(0, 12)}
          </dd>
        </div>
      </dl>
      <h3>Parameters a search may turn</h3>
      {exposed.length === 0 && <p className="inspector-help dim">None yet: choose a node and tick one of its numbers.</p>}
      <ul className="exposed">
        {exposed.map(([name, range]) => (
          <li key={name}>
            <button type="button" className="plain-link mono" onClick={() => select([name.split(".")[0] ?? ""])}>
              {name}
            </button>
            <span className="num">
              {String(range.min)} to {String(range.max)} by {String(range.step)}
            </span>
          </li>
        ))}
      </ul>
      <Constraints />
    </>
  );
}

const CONSTRAINT = /^\s*[A-Za-z][\w-]*\.\w+\s*(<=|>=|<|>)\s*[A-Za-z][\w-]*\.\w+\s*$/;

function Constraints() {
  const { store, isReadOnly } = useBench();
  const constraints = useDrawing((state) => graphOf(state).constraints);
  const [typed, type] = useState("");
  const { change } = store.getState();
  const isRight = CONSTRAINT.test(typed);
  return (
    <>
      <h3>What holds between them</h3>
      <ul className="exposed">
        {constraints.map((line) => (
          <li key={line}>
            <span className="mono">{line}</span>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={20}
              aria-label={`Remove ${line}`}
              disabled={isReadOnly}
              onClick={() => change((graph) => ({ ...graph, constraints: graph.constraints.filter((each) => each !== line) }))}
            >
              <X size={12} />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <TextInput
        aria-label="New constraint"
        placeholder="fast.period < slow.period, then Enter"
        classNames={{ input: "mono" }}
        value={typed}
        disabled={isReadOnly}
        error={typed !== "" && !isRight ? "Write node.parameter < node.parameter (or <=, >, >=)." : null}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !isRight) return;
          const line = typed.trim().replace(/\s*(<=|>=|<|>)\s*/, " $1 ");
          change((graph) => ({ ...graph, constraints: [...new Set([...graph.constraints, line])] }));
          type("");
        }}
      />
    </>
  );
}
