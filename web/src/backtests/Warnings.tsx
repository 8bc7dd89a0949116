import { useQuery } from "@tanstack/react-query";
import type { BacktestView } from "../api/schema";
import "./backtests.css";
import { oneVerdict } from "./queries";
import { resultOf } from "./result";

const SAID: Record<string, string> = {
  green: "The evidence speaks for it.",
  amber: "Not proven: see what is missing or doubtful.",
  red: "The evidence speaks against it.",
};

/** What speaks against trusting a run, above its numbers: the verdict over all runs, and the cautions of this one. */
export function Warnings({ backtest }: { backtest: BacktestView }) {
  const { data: verdict, error } = useQuery(oneVerdict(backtest.backtest_id));
  const cautions = resultOf(backtest).honesty.cautions ?? [];
  const reasons = verdict?.reasons.filter((reason) => reason.colour !== "green") ?? [];
  return (
    <ul className="warnings" aria-label="Warnings">
      {error !== null && <li>The verdict could not be read: {error.message}</li>}
      {verdict !== undefined && (
        <li className={`is-${verdict.colour}`}>
          <strong>Verdict: {verdict.colour}.</strong> {SAID[verdict.colour]}
          <span className="dim">
            After {verdict.trials} different {verdict.trials === 1 ? "run" : "runs"} of this strategy.
          </span>
          {reasons.length > 0 && <span>{reasons.map((reason) => reason.text).join(" · ")}</span>}
        </li>
      )}
      {cautions.map((caution) => (
        <li key={`${caution.code}${caution.node}`}>
          <strong>{caution.message}</strong>
          <span className="dim">{caution.fix}</span>
        </li>
      ))}
    </ul>
  );
}
