import { Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { answered, api } from "../api/client";
import type { SweepView, TrialView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { count, NOT_APPLICABLE, percent, ratio } from "../format/numbers";
import { day } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useUrlText } from "../shell/urlState";
import { Facts } from "./AssumptionsTab";
import "./backtests.css";
import { tint } from "./HeatMap";
import { entered, useBacktests, useSweep, useTrials } from "./queries";
import { type Heat, heatOf, pointText, resultOfSweep, trialAt } from "./sweep";
import { TrialTable } from "./TrialTable";
import { WalkForward } from "./WalkForward";

/** What a search found: scores over the parameters, whether the best stands on a plateau, and how it did outside. */
export function SweepResult({ sweepId }: { sweepId: string }) {
  const sweep = useSweep(sweepId);
  return (
    <div className="span-12">
      <Asked query={sweep} what="This search">
        {(found) => (found.status === "finished" ? <Found sweep={found} /> : <Empty>It has no result: it is {found.status}. {found.error}</Empty>)}
      </Asked>
    </div>
  );
}

/** Opens the backtest of a trial: the one there is, or the very run made anew. */
function useTrialRun(sweep: SweepView) {
  const { data: runs = [] } = useBacktests();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useSending(async (trial: TrialView) => {
    const known = runs.find((run) => run.run_hash === trial.run_hash && run.status === "finished");
    const { role, segment, number } = trial;
    const id =
      known?.backtest_id ??
      entered(
        queries,
        await answered(api.POST("/api/v1/sweeps/{sweep_id}/trials", { params: { path: { sweep_id: sweep.sweep_id } }, body: { role, segment, number } })),
      ).backtest_id;
    await navigate({ to: "/backtests/$backtestId", params: { backtestId: id } } as never);
  });
}

function Found({ sweep }: { sweep: SweepView }) {
  const trials = useTrials(sweep);
  const { send, isSending, failure } = useTrialRun(sweep);
  const result = resultOfSweep(sweep);
  const [pair, choosePair] = useUrlText("pair");
  const turned = Object.entries(result.surface?.values ?? {}).filter(([, values]) => values.length > 1).map(([name]) => name);
  const pairs = turned.flatMap((one, place) => turned.slice(place + 1).map((other) => `${one} × ${other}`));
  const chosen = pairs.includes(pair) ? (pair.split(" × ") as [string, string]) : undefined;
  const heat = heatOf(result.surface, chosen);
  const open = (trial: TrialView) => void send(trial);
  return (
    <div className="page" style={{ padding: 0 }}>
      {heat !== null && (
        <Pane
          title={`${result.objective ?? "Score"} over the parameters`}
          columns={8}
          isFlush
          facts={isSending ? "Starting…" : "a cell opens its run"}
          actions={
            pairs.length > 1 && <Select aria-label="Parameters of the map" w={260} data={pairs} value={chosen ? pair : (pairs[0] ?? null)} onChange={(next) => choosePair(next ?? "")} />
          }
        >
          <ScoreMap heat={heat} trials={trials.data ?? []} onOpen={open} />
          <p role="alert" className="danger form-failure">
            {failure}
          </p>
        </Pane>
      )}
      <Pane title="What it found" columns={heat === null ? 12 : 4}>
        <Facts of={factsOf(sweep)} />
      </Pane>
      {result.windows !== undefined && <WalkForward result={result} />}
      <Pane title="Trials" isFlush facts="the best 200 at most">
        <Asked query={trials} what="Trials">
          {(rows) => <TrialTable trials={rows} onOpen={open} />}
        </Asked>
      </Pane>
    </div>
  );
}

interface ScoreMapProps {
  heat: Heat;
  trials: readonly TrialView[];
  onOpen: (trial: TrialView) => void;
}

function ScoreMap({ heat, trials, onOpen }: ScoreMapProps) {
  const strongest = Math.max(0, ...heat.cells.flat().map((cell) => Math.abs(cell?.score ?? 0)));
  return (
    <table className="table heat" aria-label={`Scores by ${heat.rowName} and ${heat.columnName}`}>
      <thead>
        <tr>
          <th>{heat.rowName === "" ? heat.columnName : `${heat.rowName} \\ ${heat.columnName}`}</th>
          {heat.columns.map((value) => (
            <th key={value} className="num">
              {value}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {heat.rows.map((value, row) => (
          <tr key={value}>
            <th scope="row">{value === "" ? "score" : value}</th>
            {heat.columns.map((column, place) => {
              const cell = heat.cells[row]?.[place] ?? null;
              if (cell === null) return <td key={column} className="num dim">{NOT_APPLICABLE}</td>;
              const trial = trialAt(trials, cell.point);
              return (
                <td key={column} className={`num is-cell ${cell === heat.best ? "is-best" : ""}`} style={tint(cell.score, strongest)}>
                  {trial === undefined ? (
                    <span title="Not among the best 200 trials">{ratio(cell.score)}</span>
                  ) : (
                    <button type="button" className="heat-cell" aria-label={`${pointText(cell.point)}: ${ratio(cell.score)}, open its run`} onClick={() => onOpen(trial)}>
                      {ratio(cell.score)}
                    </button>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function factsOf(sweep: SweepView): [string, string][] {
  const result = resultOfSweep(sweep);
  const plateau = result.surface?.plateau;
  const facts: [string, string][] = [
    ["Trials", `${count(sweep.trials)} in the ledger`],
    ["Locked away", sweep.holdout_ts === null ? "nothing" : `bars from ${day(sweep.holdout_ts)} on`],
    ["Locked bars opened", `${sweep.unlocks} time(s)`],
  ];
  if (result.best) facts.push(["Best", `${pointText(result.best.parameters)}: ${ratio(result.best.score)}`]);
  if (plateau) {
    const around = plateau.neighbours === 0 ? "no trial lies beside the best" : `${plateau.neighbours} trials beside the best have a median of ${ratio(plateau.median)}`;
    const isPeak = plateau.share !== null && plateau.share < 0.5;
    facts.push(["Plateau", `${around}${plateau.share === null ? "" : `, ${percent(plateau.share, { digits: 0 })} of it`}${isPeak ? ": a lonely peak, rather luck than rule" : ""}`]);
    facts.push(["Steadiest", `${pointText(plateau.steadiest.parameters)}: ${ratio(plateau.steadiest.score)}, around it ${ratio(plateau.steadiest_median)}`]);
  }
  if (result.pbo) facts.push(["Probability of overfitting", `${ratio(result.pbo.pbo)} over ${count(result.pbo.splits)} splits`]);
  if (result.entries) facts.push(["Entries against random ones", `p = ${result.entries.p_value.toFixed(3)}`]);
  if (result.stress?.share != null) facts.push(["Stress", `${percent(result.stress.share, { digits: 0 })} of the variants keep the gain`]);
  if (result.stitched) facts.push(["Tests joined", `Sharpe ${ratio(result.stitched.sharpe)}, t ${ratio(result.stitched.t)}`]);
  return facts;
}
