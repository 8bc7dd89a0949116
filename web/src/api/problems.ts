/** Failures of the API (RFC 9457), and the one kind that has no answer. */

export interface ProblemBody {
  code: string;
  detail: string;
  status: number;
  title: string;
  pointer: string;
  trace_id: string;
}

export class ApiProblem extends Error {
  readonly code: string;
  readonly status: number;
  readonly traceId: string;
  readonly pointer: string;
  /** All members of the problem, some operations add to them. */
  readonly body: unknown;

  constructor(body: Partial<ProblemBody>, status: number) {
    super(body.detail ?? `the server answered ${status} without saying why`);
    this.name = "ApiProblem";
    this.code = body.code ?? "ANSWER_UNREADABLE";
    this.status = status;
    this.traceId = body.trace_id ?? "";
    this.pointer = body.pointer ?? "";
    this.body = body;
  }
}

/** What stands in for an answer that never came. */
export class Unreachable extends Error {
  constructor() {
    super("the server does not answer: is it still running?");
    this.name = "Unreachable";
  }
}

/** Read what came instead of an answer as a problem; anything at all may have come, from a proxy too. */
export function problemOf(body: unknown, status: number): ApiProblem {
  const isProblem = typeof body === "object" && body !== null && "code" in body && "detail" in body;
  return new ApiProblem(isProblem ? (body as ProblemBody) : {}, status);
}

/** Whether asking again may help: nothing that was refused becomes allowed by repeating it. */
export function isPassing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof ApiProblem && (error.status === 503 || error.status === 429));
}
