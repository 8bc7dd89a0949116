import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import { queries } from "../api/queries";
import { sessionState, signedIn, signedOut } from "./session";

export interface Credentials {
  email: string;
  password: string;
  code: string;
}

/** Find out whether somebody is signed in here. Throws Unreachable. */
export async function knowSession(): Promise<void> {
  if (sessionState().kind !== "unknown") return;
  try {
    signedIn(await answered(api.GET("/api/v1/session")));
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    signedOut();
  }
}

/** Sign in; where somebody else was signed in before, nothing of theirs stays. Throws ApiProblem. */
export async function signIn(body: Credentials): Promise<void> {
  const before = sessionState();
  const session = await answered(api.POST("/api/v1/session", { body }));
  if (before.kind === "expired" && before.session.user_id === session.user_id) {
    signedIn(session);
    await queries.invalidateQueries();
    return;
  }
  queries.clear();
  signedIn(session);
}

/** Sign out; what was read is forgotten even where the server cannot be told. */
export async function signOut(): Promise<void> {
  try {
    await api.DELETE("/api/v1/session");
  } finally {
    queries.clear();
    signedOut();
  }
}
