import { Button } from "@mantine/core";
import { useState } from "react";
import { Facts } from "../backtests/AssumptionsTab";
import { count, percent } from "../format/numbers";
import { day, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useCheck } from "./queries";

interface CoverageProps {
  symbol: string;
  /** Show what lies around an instant, in seconds. */
  onShow: (at: number) => void;
}

/** How much of what the calendar expects is there, the longest gap, and what is odd in the bars. */
export function Coverage({ symbol, onShow }: CoverageProps) {
  const [hasHash, wantHash] = useState(false);
  const check = useCheck(symbol, hasHash);
  return (
    <Pane
      title="Coverage"
      columns={4}
      facts={symbol}
      actions={
        <Button size="compact-xs" variant="default" loading={check.isFetching} disabled={hasHash} title={hasHash ? "It was checked" : "Reads every bar"} onClick={() => wantHash(true)}>
          Check content
        </Button>
      }
    >
      <Asked query={check} what="The check of these bars" height={220}>
        {({ coverage, issues, is_intact, timeframe, first_ts, last_ts }) => (
          <>
            <Facts
              of={[
                ["Interval", timeframe],
                ["From", day(first_ts)],
                ["To", day(last_ts)],
                ["Calendar", coverage.calendar],
                ["Bars", `${count(coverage.bars_found)} of ${count(coverage.bars_expected)}, ${percent(coverage.share)}`],
                ["Sessions", `${count(coverage.sessions_found)} of ${count(coverage.sessions_expected)}`],
                ["Outside of hours", count(coverage.bars_outside)],
                ["Gaps", coverage.gaps === 0 ? "none" : `${count(coverage.gaps)}, the longest ${count(coverage.gap_bars)} bars`],
                ...(is_intact === null ? [] : [["Content", is_intact ? "as it was imported" : "NOT as it was imported"] as const]),
              ]}
            />
            {coverage.gap_after !== null && (
              <p style={{ margin: "12px 0" }}>
                <Button size="compact-xs" variant="default" onClick={() => onShow(new Date(coverage.gap_after ?? 0).getTime() / 1000)}>
                  Show the gap after {moment(coverage.gap_after)}
                </Button>
              </p>
            )}
            {issues.length === 0 ? (
              <Empty>Nothing is odd in them.</Empty>
            ) : (
              <ul className="why-list" style={{ marginTop: 12 }}>
                {issues.map((issue) => (
                  <li key={`${issue.code}${issue.action}`}>
                    <strong>
                      {issue.code} × {count(issue.count)}, {issue.action}
                    </strong>{" "}
                    <span className="dim">
                      {issue.details.join("; ")} {issue.fix}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Asked>
    </Pane>
  );
}
