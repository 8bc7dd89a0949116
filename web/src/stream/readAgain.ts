import { hashKey, type QueryClient, type QueryKey } from "@tanstack/react-query";

export const SPACED_MS = 250;

/** Keys that are being read again, each with whether it was told of once more meanwhile. */
const reading = new WeakMap<QueryClient, Map<string, boolean>>();

/**
 * Read anew what the stream says has changed. An answer that is on its way may be from before, so it is awaited and asked
 * for once more; however often a key is told of meanwhile, one reading follows, so that fast news never starves it.
 */
export function readAgain(queries: QueryClient, queryKey: QueryKey): void {
  const known = reading.get(queries) ?? new Map<string, boolean>();
  reading.set(queries, known);
  const hash = hashKey(queryKey);
  if (known.has(hash)) {
    known.set(hash, true);
    return;
  }
  known.set(hash, false);
  void read(queries, queryKey).then(() => {
    const isStale = known.get(hash);
    known.delete(hash);
    if (isStale) readAgain(queries, queryKey);
  });
}

async function read(queries: QueryClient, queryKey: QueryKey): Promise<void> {
  const coming = queries.getQueryCache().findAll({ queryKey, fetchStatus: "fetching" });
  await Promise.allSettled(coming.map((query) => query.promise));
  await queries.invalidateQueries({ queryKey });
  await new Promise((after) => setTimeout(after, SPACED_MS));
}
