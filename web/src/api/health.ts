import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { api } from "./client";
import { problemOf } from "./problems";
import type { PlatformHealth } from "./schema";

const EVERY_MS = 10_000;

/** How the eight services are. A platform of which some are down answers with an error status and the same document. */
export function useHealth(): UseQueryResult<PlatformHealth> {
  return useQuery({
    queryKey: ["health"],
    refetchInterval: EVERY_MS,
    retry: 1, // it is asked again soon anyway, and until then orders would be promised
    queryFn: async () => {
      const { data, error, response } = await api.GET("/api/v1/health");
      const found: unknown = data ?? error;
      if (typeof found === "object" && found !== null && "services" in found) return found as PlatformHealth;
      throw problemOf(error, response.status);
    },
  });
}

export interface Mark {
  tone: "ok" | "warn" | "bad";
  text: string;
}

/** The state of the platform in a few words. */
export function healthMark({ data, error }: Pick<UseQueryResult<PlatformHealth>, "data" | "error">): Mark {
  if (error !== null) return { tone: "bad", text: error.message };
  if (data === undefined) return { tone: "warn", text: "Asking the services" };
  const down = data.services.filter((one) => one.status !== "ok").map((one) => one.service);
  if (down.length === 0) return { tone: "ok", text: data.services.length === 1 ? "1 service well" : `${data.services.length} services well` };
  return { tone: "bad", text: `Down: ${down.join(", ")}` };
}
