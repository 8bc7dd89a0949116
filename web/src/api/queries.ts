import { QueryClient } from "@tanstack/react-query";
import { isPassing } from "./problems";

const TRIES_MAX = 3;

/** What was asked lately; nothing that was refused is asked again by itself. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < TRIES_MAX && isPassing(error),
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 8000),
    },
    mutations: { retry: false },
  },
});
