/** The accounts of who is signed in, and the one they are looking at. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { answered, api } from "../api/client";
import type { AccountView } from "../api/schema";
import { useUrlText } from "../shell/urlState";

export const ACCOUNTS = ["accounts"] as const;
const KEY = "alphintra.account";
const EVERY_MS = 30_000;
const listeners = new Set<() => void>();

export type AccountKind = "PAPER" | "LIVE";

export function kindOf(account: Pick<AccountView, "mode">): AccountKind {
  return account.mode === "live" ? "LIVE" : "PAPER";
}

/** One's accounts, oldest first, without that of a sample that was removed. */
export function useAccounts(): UseQueryResult<AccountView[]> {
  return useQuery({
    queryKey: ACCOUNTS,
    queryFn: async () => {
      const [{ accounts }, sample] = await Promise.all([
        answered(api.GET("/api/v1/accounts")),
        answered(api.GET("/api/v1/sample")),
      ]);
      return sample.state === "removed" ? accounts.filter((one) => one.account_id !== sample.account_id) : accounts;
    },
    refetchInterval: EVERY_MS,
  });
}

/** The account meant: the one in the address, else the one looked at last, else the oldest. */
export function meant(accounts: readonly AccountView[], inAddress: string, kept: string): AccountView | undefined {
  return [inAddress, kept].map((id) => accounts.find((one) => one.account_id === id)).find(Boolean) ?? accounts[0];
}

interface ChosenAccount {
  account: AccountView | undefined;
  choose: (accountId: string) => void;
}

/** The account somebody looks at. The address has it where it was chosen here, so a link leads others to the same. */
export function useAccount(): ChosenAccount {
  const { data = [] } = useAccounts();
  const [inAddress, write] = useUrlText("account");
  const kept = useSyncExternalStore(subscribe, () => localStorage.getItem(KEY) ?? "");
  const choose = useCallback(
    (accountId: string) => {
      localStorage.setItem(KEY, accountId);
      for (const listener of listeners) listener();
      write(accountId);
    },
    [write],
  );
  return { account: meant(data, inAddress, kept), choose };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
