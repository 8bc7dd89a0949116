import { sessionState } from "./session";

/** Who did something, for people: `user:…` of who is signed in is "you", of others the beginning of their id. */
export function who(actor: string | null | undefined): string {
  if (actor == null || actor === "") return "";
  const [kind, id = ""] = actor.split(":");
  const state = sessionState();
  const own = state.kind === "in" || state.kind === "expired" ? state.session.user_id : "";
  if (kind === "user") return id === own ? "you" : `user ${id.slice(-6)}`;
  if (kind === "service") return `the platform (${id})`;
  return kind === "key" ? `key ${id}` : actor;
}
