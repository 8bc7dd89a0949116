import { Button, SegmentedControl } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { AccessView } from "../api/schema";
import { reasonOf } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { useUrlChoice, useUrlText } from "../shell/urlState";
import { AccessCell } from "./AccessCell";
import { AccessGraph } from "./AccessGraph";
import { AccessMap } from "./AccessMap";
import { useProbe } from "./queries";
import { cellKey, legendOf, MARKS } from "./reach";
import { When } from "./When";

const VIEWS = ["map", "graph"] as const;

/** Who gets at whose data, as probes with the services' own credentials found it. */
export function Access({ query }: { query: UseQueryResult<AccessView> }) {
  const [view, look] = useUrlChoice("view", VIEWS, "map");
  const [chosen, choose] = useUrlText("cell");
  const probe = useProbe();
  const cell = query.data?.cells.find((one) => cellKey(one) === chosen);
  return (
    <>
      <Pane
        title="Access map"
        columns={8}
        isFlush
        facts={query.data && <Facts access={query.data} />}
        actions={
          <>
            <SegmentedControl
              size="xs"
              aria-label="View"
              data={[
                { value: "map", label: "Map" },
                { value: "graph", label: "Graph" },
              ]}
              value={view}
              onChange={(next) => look(next as (typeof VIEWS)[number])}
            />
            <Button onClick={() => probe.mutate()} loading={probe.isPending}>
              Probe now
            </Button>
          </>
        }
      >
        {probe.error !== null && (
          <p className="state danger" role="alert">
            The probe came to nothing: {reasonOf(probe.error)}
          </p>
        )}
        <Asked query={query} what="The access map" height={320}>
          {(access) => (
            <>
              {access.problem !== "" && (
                <p className="state danger" role="alert">
                  The latest probe failed, this is what the one before found: {access.problem}
                </p>
              )}
              {view === "map" ? (
                <AccessMap access={access} chosen={chosen} onChoose={choose} />
              ) : (
                <AccessGraph access={access} chosen={chosen} onChoose={choose} />
              )}
              <Legend access={access} />
            </>
          )}
        </Asked>
      </Pane>
      <AccessCell cell={cell} at={query.data?.at ?? null} />
      {query.data !== undefined && query.data.drift.length > 0 && <Drift lines={query.data.drift} />}
    </>
  );
}

function Facts({ access }: { access: AccessView }) {
  if (access.at === null) return <>not probed yet: that begins by itself</>;
  return (
    <span title={`asked for by ${access.asked_by}, took ${access.took_s.toFixed(1)} s`}>
      probed <When at={access.at} />
      {access.asked_by === "service:inspector" ? " by itself" : " by hand"}, again <When at={access.next_at} />
    </span>
  );
}

function Legend({ access }: { access: AccessView }) {
  return (
    <ul className="access-legend" aria-label="Legend">
      {legendOf(access).map((reach) => (
        <li key={reach}>
          <span className={`access-mark is-${MARKS[reach].tone}`} aria-hidden="true">
            {MARKS[reach].mark}
          </span>
          {reach === "unprobed" ? "not probed" : MARKS[reach].word}
        </li>
      ))}
    </ul>
  );
}

function Drift({ lines }: { lines: readonly string[] }) {
  return (
    <Pane title="Against the declaration" facts={`${lines.length} ${lines.length === 1 ? "difference" : "differences"}; each line is what would mend it`}>
      <ul className="statements">
        {lines.map((line) => (
          <li key={line}>
            <code>{line}</code>
          </li>
        ))}
      </ul>
    </Pane>
  );
}
