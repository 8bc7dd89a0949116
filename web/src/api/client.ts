/** The one way to the API: typed by its description, failures as ApiProblem. */

import createClient from "openapi-fetch";
import { guarded } from "./guarded";
import { proveAgain } from "../session/proving";
import { problemOf, Unreachable } from "./problems";
import type { paths } from "./schema";

const client = createClient<paths>({ credentials: "same-origin", fetch: guarded((request) => fetch(request), proveAgain) });

client.use({ onError: () => new Unreachable() });

export const api = client;

interface Answered<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

/** Return what was answered. Throws ApiProblem or Unreachable. */
export async function answered<T>(asked: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok || data === undefined) throw problemOf(error, response.status);
  return data;
}
