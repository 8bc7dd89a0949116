import { NativeSelect } from "@mantine/core";
import { kindOf, useAccount, useAccounts } from "../session/account";

/** The account looked at, and whether it is paper or live: the first thing anybody has to know. */
export function AccountChoice() {
  const accounts = useAccounts();
  const { account, choose } = useAccount();
  if (account === undefined) return null;
  const kind = kindOf(account);
  return (
    <div className="shell-account">
      <span className={`mode ${kind === "LIVE" ? "is-live" : ""}`} title={kind === "LIVE" ? "Orders are real" : "Simulated money"}>
        {kind}
      </span>
      <NativeSelect
        aria-label="Account"
        className="shell-account-select"
        data={(accounts.data ?? []).map((one) => ({ value: one.account_id, label: `${one.name}${kindOf(one) === "LIVE" ? " (live)" : ""}` }))}
        value={account.account_id}
        onChange={(event) => choose(event.currentTarget.value)}
      />
    </div>
  );
}
