import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

export const SEVERITIES = ["info", "warning", "critical"] as const;
export const RULES = [...SEVERITIES, "off"] as const;
export const PAGE = 100;
const INBOX_MS = 10_000;
const WAITING_MS = 2000;

export interface Narrowed {
  severity: string;
  topic: string;
  show: string;
}

/** A person's messages, newest first. */
export function useMessages({ severity, topic, show }: Narrowed) {
  const query = {
    limit: PAGE,
    ...(severity === "" ? {} : { severity }),
    ...(topic === "" ? {} : { topic }),
    ...(show === "open" ? { open_only: true } : {}),
    ...(show === "unread" ? { unread_only: true } : {}),
  };
  return useQuery({
    queryKey: ["messages", query],
    queryFn: () => answered(api.GET("/api/v1/messages", { params: { query } })),
    refetchInterval: INBOX_MS,
  });
}

export function useChannels() {
  return useQuery({
    queryKey: ["notices", "channels"],
    queryFn: () => answered(api.GET("/api/v1/notifications/channels")),
  });
}

export function useSchedule() {
  return useQuery({
    queryKey: ["notices", "schedule"],
    queryFn: () => answered(api.GET("/api/v1/notifications/schedule")),
  });
}

/** What was and is to be sent; looked at more often while something waits. */
export function useSendings() {
  return useQuery({
    queryKey: ["notices", "sendings"],
    queryFn: () => answered(api.GET("/api/v1/notifications/sendings", { params: { query: { limit: PAGE } } })),
    refetchInterval: ({ state }) => (state.data?.sendings.some((one) => one.state === "due") ? WAITING_MS : INBOX_MS),
  });
}
