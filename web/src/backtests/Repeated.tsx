import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answered, api } from "../api/client";
import type { BacktestView } from "../api/schema";
import "./backtests.css";

/** Whether a run made again came to the same as the one before. */
export function Repeated({ backtest, of }: { backtest: BacktestView; of: string }) {
  const { data } = useQuery({
    queryKey: ["backtests", backtest.backtest_id, "compare", of],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      answered(
        api.GET("/api/v1/backtests/{backtest_id}/compare/{other_id}", { params: { path: { backtest_id: backtest.backtest_id, other_id: of } } }),
      ),
  });
  if (data === undefined) return null;
  return (
    <ul className="warnings" aria-label="Repetition">
      <li className={data.is_equal ? "is-green" : "is-red"}>
        <strong>{data.is_equal ? "Run again, and it came to the same result." : "Run again, and it came to another result."}</strong>
        <Link to={"/backtests/$backtestId" as never} params={{ backtestId: of } as never}>
          The run before
        </Link>
        <code className="dim">{backtest.result_hash.slice(0, 16)}</code>
        {data.differences.map((sentence) => (
          <span key={sentence}>{sentence}</span>
        ))}
      </li>
    </ul>
  );
}
