/** What the risk page asks for, each under a key of its own. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { queries } from "../api/queries";

export const RISK = "risk";
const SOON_MS = 5000;
const LATER_MS = 30_000;

interface Timing {
  every?: number;
  isOn?: boolean;
}

function useRisk<T>(key: readonly unknown[], ask: () => Promise<T>, { every = LATER_MS, isOn = true }: Timing = {}): UseQueryResult<T> {
  return useQuery({ queryKey: [RISK, ...key], queryFn: ask, refetchInterval: every, enabled: isOn });
}

/** Read everything about risk anew, after something was changed. */
export async function renew(): Promise<void> {
  await queries.invalidateQueries({ queryKey: [RISK] });
}

const of = (accountId: string) => ({ params: { path: { account_id: accountId } } });

export const useLimitUse = (id: string) =>
  useRisk(["use", id], () => answered(api.GET("/api/v1/accounts/{account_id}/limit-use", of(id))), { every: SOON_MS });

export const useLimits = (id: string) => useRisk(["limits", id], () => answered(api.GET("/api/v1/accounts/{account_id}/limits", of(id))));

export const useVersions = (id: string) =>
  useRisk(["versions", id], async () => (await answered(api.GET("/api/v1/accounts/{account_id}/limit-versions", of(id)))).versions);

export const useProposals = (id: string) =>
  useRisk(["proposals", id], async () => (await answered(api.GET("/api/v1/accounts/{account_id}/limit-proposals", of(id)))).proposals);

export const useLatches = (id: string) =>
  useRisk(["latches", id], async () => (await answered(api.GET("/api/v1/accounts/{account_id}/latches", of(id)))).latches);

export const useOverrides = (id: string) =>
  useRisk(["overrides", id], async () => (await answered(api.GET("/api/v1/accounts/{account_id}/overrides", of(id)))).overrides);

export const useRefused = (id: string) =>
  useRisk(
    ["refused", id],
    async () => {
      const query = { refused_only: true, limit: 500 };
      return (await answered(api.GET("/api/v1/accounts/{account_id}/assessments", { params: { path: { account_id: id }, query } }))).assessments;
    },
    { every: SOON_MS },
  );

export const useControls = () => useRisk(["controls"], () => answered(api.GET("/api/v1/risk/controls")));

export const useKillStates = () => useRisk(["kills"], () => answered(api.GET("/api/v1/risk/kill-states")), { every: SOON_MS });

export const useAlerts = () =>
  useRisk(["alerts"], async () => (await answered(api.GET("/api/v1/risk/alerts", { params: { query: { limit: 500 } } }))).alerts, { every: SOON_MS });

export const useAlertRules = () => useRisk(["alert-rules"], async () => (await answered(api.GET("/api/v1/risk/alert-rules"))).rules);

export const useRestrictions = (isOn: boolean) =>
  useRisk(["restrictions"], async () => (await answered(api.GET("/api/v1/risk/restrictions"))).restrictions, { isOn });

export const useReport = (id: string) =>
  useRisk(["report", id], () => answered(api.GET("/api/v1/risk/report", { params: { query: { account_id: id } } })));

export const useCases = (isOn: boolean) =>
  useRisk(["cases"], async () => (await answered(api.GET("/api/v1/surveillance/cases"))).cases, { isOn });

export const useDetectors = (isOn: boolean) =>
  useRisk(["detectors"], async () => (await answered(api.GET("/api/v1/surveillance/detectors"))).detectors, { isOn });

export const useDeployments = () => useRisk(["deployments"], async () => (await answered(api.GET("/api/v1/deployments"))).deployments);
