import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { When } from "./When";

interface LookedProps<T> {
  title: string;
  query: UseQueryResult<T>;
  /** What is asked for, at the beginning of a sentence. */
  what: string;
  columns?: number;
  height?: number;
  children: (found: T) => ReactNode;
}

/** A pane of what the inspector saw, with when that was, and with what went wrong since. */
export function Looked<T extends { at: string | null; problem: string }>({ title, query, what, columns = 12, height = 260, children }: LookedProps<T>) {
  const found = query.data;
  return (
    <Pane title={title} columns={columns} isFlush facts={found && <>seen <When at={found.at} /></>}>
      <Asked query={query} what={what} height={height}>
        {(data) => (
          <>
            {data.problem !== "" && (
              <p className="state danger" role="alert">
                Looking again failed, this is the last that was seen: {data.problem}
              </p>
            )}
            <div className={data.problem === "" ? "" : "stale"}>{children(data)}</div>
          </>
        )}
      </Asked>
    </Pane>
  );
}
