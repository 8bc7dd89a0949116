import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { isAside } from "../overview/attention";
import { AttentionPane } from "../overview/AttentionPane";
import { Checklist, SampleLine } from "../overview/Checklist";
import { Equity } from "../overview/Equity";
import { LastRuns, Running } from "../overview/Lists";
import "../overview/overview.css";
import { Positions } from "../overview/Positions";
import { useAttention, useSample, useSummaries } from "../overview/queries";
import { together, toneOf } from "../overview/worth";
import { money, profit } from "../format/numbers";
import { type Kpi, Kpis } from "../panes/Kpis";
import { Asked } from "../panes/states";
import { useAccount, useAccounts } from "../session/account";
import { useUrlState } from "../shell/urlState";

/** How it stands: what all accounts are worth, what wants attention, what runs. */
export default function Overview() {
  const [isFirst] = useUrlState("first", false, (found) => (found === true ? true : null));
  const accounts = useAccounts();
  const { account } = useAccount();
  const sample = useSample(isFirst).data;
  const queries = useQueryClient();
  useEffect(() => {
    // it comes, or goes, while one looks
    void queries.invalidateQueries({ predicate: (one) => one.queryKey[0] !== "sample" });
  }, [queries, sample?.workflow_id, sample?.account_id, sample?.state]);
  const mine = accounts.data ?? [];
  const attention = useAttention(mine);
  const currency = account?.currency ?? "USD";
  const same = mine.filter((one) => one.currency === currency);
  return (
    <div className="page">
      <div className="page-title">
        <h1>Overview</h1>
      </div>
      <SampleLine sample={sample} />
      <Checklist
        sample={sample}
        isPutAside={isAside(attention.aside, "checklist", Date.now())}
        onPutAside={() => attention.put.mutate({ key: "checklist", until: 0 })}
      />
      <Asked query={accounts} what="Accounts">
        {() => <Figures accounts={mine} currency={currency} />}
      </Asked>
      <div className="overview-main">
        {same.length > 0 && <Equity accounts={same} currency={currency} />}
        <Positions accounts={mine} sampleAccount={sample?.account_id ?? undefined} />
      </div>
      <div className="overview-side">
        <AttentionPane attention={attention} />
        <Running sample={sample} />
        <LastRuns sample={sample} />
      </div>
    </div>
  );
}

function Figures({ accounts, currency }: { accounts: Parameters<typeof useSummaries>[0]; currency: string }) {
  const summaries = useSummaries(accounts).flatMap((one) => (one.data === undefined ? [] : [one.data]));
  const all = together(summaries, currency);
  const tinted = (amount: string): Pick<Kpi, "value" | "tone"> => {
    const tone = toneOf(amount);
    return { value: profit(amount), ...(tone === undefined ? {} : { tone }) };
  };
  const others = all.others === 0 ? "" : `; ${all.others} in other currencies are not in it`;
  return (
    <Kpis
      of={[
        { label: `Equity, ${currency}`, value: money(all.equity), hint: `${all.accounts} ${all.accounts === 1 ? "account" : "accounts"}${others}` },
        { label: "Today", ...tinted(all.today), hint: "Since the last close of each account's prices" },
        { label: "Open P&L", ...tinted(all.unrealized), hint: "Of what is held, at the newest prices" },
        { label: "P&L in all", ...tinted(all.profit), hint: "Of all that was put in, after fees" },
        { label: "Cash", value: money(all.cash), hint: "Not in positions" },
      ]}
    />
  );
}
