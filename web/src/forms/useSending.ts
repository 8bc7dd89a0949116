import { useState } from "react";
import { ApiProblem } from "../api/problems";

/** Why something did not work, with its code where it has one. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiProblem) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : "this did not work";
}

interface Sending<A extends unknown[]> {
  /** Returns whether it worked. */
  send: (...given: A) => Promise<boolean>;
  isSending: boolean;
  /** Why the last attempt failed; empty after one that worked. */
  failure: string;
}

/** One thing that is sent when somebody says so: once at a time, and what went wrong as a text. */
export function useSending<A extends unknown[]>(work: (...given: A) => Promise<unknown>): Sending<A> {
  const [isSending, sending] = useState(false);
  const [failure, tell] = useState("");
  async function send(...given: A): Promise<boolean> {
    sending(true);
    tell("");
    try {
      await work(...given);
      return true;
    } catch (error) {
      tell(reasonOf(error));
      return false;
    } finally {
      sending(false);
    }
  }
  return { send, isSending, failure };
}
