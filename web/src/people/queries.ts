/** What the page of people asks for. */

import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { ApiKeyView, OpenSessionView, UserView } from "../api/schema";
import { queries } from "../api/queries";

const PEOPLE = "people";

export async function renew(): Promise<void> {
  await queries.invalidateQueries({ queryKey: [PEOPLE] });
}

export const useUsers = (isOn: boolean) =>
  useQuery<UserView[]>({ queryKey: [PEOPLE, "users"], enabled: isOn, queryFn: async () => (await answered(api.GET("/api/v1/users"))).users, refetchInterval: 30_000 });

/** One's own sessions, or as owner or operator another's. */
export const useSessions = (userId: string, isOwn: boolean) =>
  useQuery<OpenSessionView[]>({
    queryKey: [PEOPLE, "sessions", userId],
    queryFn: async () => {
      const path = { params: { path: { user_id: userId } } };
      return (await answered(isOwn ? api.GET("/api/v1/sessions") : api.GET("/api/v1/users/{user_id}/sessions", path))).sessions;
    },
  });

export const useKeys = (userId: string, isOwn: boolean) =>
  useQuery<ApiKeyView[]>({
    queryKey: [PEOPLE, "keys", userId],
    queryFn: async () => {
      const path = { params: { path: { user_id: userId } } };
      return (await answered(isOwn ? api.GET("/api/v1/api-keys") : api.GET("/api/v1/users/{user_id}/api-keys", path))).keys;
    },
  });
