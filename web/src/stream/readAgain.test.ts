import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readAgain, SPACED_MS } from "./readAgain";

const KEY = ["orders"];

/** Queries of which one is observed: each reading is answered by hand. */
function observed() {
  const queries = new QueryClient();
  const answers: ((value: string) => void)[] = [];
  const queryFn = () => new Promise<string>((answer) => answers.push(answer));
  const leave = new QueryObserver(queries, { queryKey: KEY, queryFn, retry: false }).subscribe(() => undefined);
  const answer = async (value: string) => {
    await vi.advanceTimersByTimeAsync(0);
    answers.at(-1)?.(value);
    await vi.advanceTimersByTimeAsync(2 * SPACED_MS);
  };
  return { queries, answers, answer, leave };
}

describe("what the stream says has changed", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is read once more behind a first reading that was on its way", async () => {
    const { queries, answers, answer, leave } = observed();
    readAgain(queries, KEY);
    expect(answers).toHaveLength(1);
    await answer("from before");
    expect(answers).toHaveLength(2);
    await answer("from after");
    expect(queries.getQueryData(KEY)).toBe("from after");
    leave();
  });

  it("is read at last however fast it changes, one reading at a time", async () => {
    const { queries, answers, answer, leave } = observed();
    await answer("first");
    for (let told = 0; told < 200; told += 1) readAgain(queries, KEY);
    await answer("second");
    expect(queries.getQueryData(KEY)).toBe("second");
    await answer("third");
    expect(answers).toHaveLength(3);
    expect(queries.getQueryData(KEY)).toBe("third");
    leave();
  });
});
