import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Frame } from "./channels";
import { listen, streamView, watchStream, type StreamView } from "./connection";
import { readAgain } from "./readAgain";

interface Heard<D> {
  /** Hears each frame as it comes; it may patch the query cache. */
  onData?: (data: D, frame: Frame) => void;
  /** Queries that a gap or a new connection makes stale. */
  reads?: readonly QueryKey[];
  /** Queries that any frame makes stale: for what is not patched. */
  refreshes?: readonly QueryKey[];
}

/** Listen to a channel of the stream for as long as the component is there; null listens to nothing. */
export function useChannel<D = unknown>(channel: string | null, heard: Heard<D>): void {
  const queries = useQueryClient();
  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });
  useEffect(() => {
    if (channel === null) return;
    const stale = (keys: readonly QueryKey[] = []) => {
      for (const queryKey of keys) readAgain(queries, queryKey);
    };
    return listen(channel, {
      onFrame: (frame) => {
        latest.current.onData?.(frame.data as D, frame);
        stale(latest.current.refreshes);
      },
      onGap: () => stale([...(latest.current.reads ?? []), ...(latest.current.refreshes ?? [])]),
    });
  }, [channel, queries]);
}

/** How the stream is, for the footer. */
export function useStream(): StreamView {
  return useSyncExternalStore(watchStream, streamView);
}
