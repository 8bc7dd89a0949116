/** Sends what changes something with the token of the session, and goes on with a session that may be gone on with. */

import { csrfToken, expired, sessionState, signedIn } from "../session/session";
import type { BrowserSession } from "./schema";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const SESSION = "/api/v1/session";
const NOT_OURS = new Set([SESSION, `${SESSION}/refresh`, `${SESSION}/step-up`, "/api/v1/setup/owner"]);

type Fetch = (request: Request) => Promise<Response>;

function withToken(request: Request): Request {
  const token = csrfToken();
  if (token !== null && !SAFE.has(request.method)) request.headers.set("X-CSRF-Token", token);
  return request;
}

async function codeOf(answer: Response): Promise<unknown> {
  try {
    return ((await answer.clone().json()) as { code?: unknown }).code;
  } catch {
    return undefined;
  }
}

/**
 * Return a way to the server that looks after the session.
 *
 * @param send `fetch`, but for tests.
 * @param prove has the person prove again who they are, where something asks for it; false if they would not.
 */
export function guarded(send: Fetch, prove: () => Promise<boolean> = () => Promise.resolve(false)): Fetch {
  let going: Promise<boolean> | null = null;

  async function took(request: Request): Promise<boolean> {
    const answer = await send(request);
    if (answer.ok) signedIn((await answer.json()) as BrowserSession);
    return answer.ok;
  }

  /** Exchange the refresh cookie, once for all who wait. */
  function refreshed(): Promise<boolean> {
    going ??= took(new Request(new URL(`${SESSION}/refresh`, location.origin), { method: "POST" })).finally(() => {
      going = null;
    });
    return going;
  }

  return async (request) => {
    const again = request.clone();
    const answer = await send(withToken(request));
    const path = new URL(request.url).pathname;
    const isEnding = path === SESSION && request.method === "DELETE";
    if (answer.status === 401 && (!NOT_OURS.has(path) || request.method === "GET" || isEnding)) {
      if (await refreshed()) return send(withToken(again));
      if (sessionState().kind !== "out") expired();
    } else if (answer.status === 403) {
      const code = await codeOf(answer);
      // The server was started anew, or another tab signed in: the session is good, its token is another.
      if (code === "CSRF_TOKEN" && (await took(new Request(new URL(SESSION, location.origin))))) return send(withToken(again));
      if (code === "AUTH_STEP_UP" && (await prove())) return send(withToken(again));
    }
    return answer;
  };
}
