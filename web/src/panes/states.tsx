import { Button, CopyButton, Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { ApiProblem } from "../api/problems";
import { moment } from "../format/times";
import "./pane.css";

const SHOW_AFTER_MS = 200;

/** A grey shape of the height of what will come; not shown for what comes at once. */
export function Loading({ height = 84 }: { height?: number }) {
  const [isShown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), SHOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div aria-busy="true" style={{ height, padding: 12 }}>
      {isShown && <Skeleton height={height - 24} animate={false} />}
      <span className="hidden">Loading</span>
    </div>
  );
}

/** What belongs here, where there is none of it yet. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="state">
      <p>{children}</p>
      {action}
    </div>
  );
}

interface FailedProps {
  /** What could not be done: "Positions could not be read". */
  what: string;
  error: unknown;
  /** When it failed, in milliseconds since 1970. */
  at?: number;
  onRetry?: () => void;
}

/** What failed, since when, why, and the id under which the server wrote it down. */
export function Failed({ what, error, at, onRetry }: FailedProps) {
  const problem = error instanceof ApiProblem ? error : null;
  const reason = error instanceof Error ? error.message : "for a reason nobody gave";
  return (
    <div className="state" role="alert">
      <p>
        <strong className="danger">{what}</strong>
        {at !== undefined && at > 0 && <span className="dim"> since {moment(new Date(at).toISOString())}</span>}
      </p>
      <p>{reason}</p>
      <div className="state-row">
        {onRetry !== undefined && (
          <Button variant="default" onClick={onRetry}>
            Retry
          </Button>
        )}
        {problem !== null && problem.traceId !== "" && (
          <CopyButton value={problem.traceId}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? "Copied" : "Copy trace id"} <code>&nbsp;{problem.traceId.slice(0, 8)}</code>
              </Button>
            )}
          </CopyButton>
        )}
      </div>
    </div>
  );
}

interface AskedProps<T> {
  query: UseQueryResult<T>;
  /** What is asked for, at the beginning of a sentence: "Positions". */
  what: string;
  height?: number;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/** A query in its four states. What was read before stays, greyed and with its age, while reading it anew fails. */
export function Asked<T>({ query, what, height = 84, isEmpty, empty, children }: AskedProps<T>) {
  const { data, error, errorUpdatedAt, dataUpdatedAt } = query;
  const failed = error !== null && (
    <Failed what={`${what} could not be read`} error={error} at={errorUpdatedAt} onRetry={() => void query.refetch()} />
  );
  if (data === undefined) return failed || <Loading height={height} />;
  const shown = isEmpty?.(data) === true ? empty : children(data);
  if (failed === false) return shown;
  return (
    <>
      {failed}
      <p className="state">As of {moment(new Date(dataUpdatedAt).toISOString())}:</p>
      <div className="stale">{shown}</div>
    </>
  );
}
