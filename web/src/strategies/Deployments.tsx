import { Button } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { DeploymentView } from "../api/schema";
import { money, profit, tone } from "../format/numbers";
import { moment } from "../format/times";
import { Confirm } from "../forms/Confirm";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { kindOf, useAccounts } from "../session/account";
import { mayTrade, useRole } from "../session/session";
import { useUrlText } from "../shell/urlState";
import { type Column, DataTable } from "../tables/DataTable";
import { changed, useDeployments } from "./asking";
import { DeploymentDetail } from "./DeploymentDetail";
import { isRunning, openProfit } from "./standing";

/** What trades and traded, with its own books; one of them is looked into below. */
export function Deployments({ names }: { names: ReadonlyMap<string, string> }) {
  const deployments = useDeployments();
  const accounts = useAccounts().data ?? [];
  const role = useRole();
  const [chosen, choose] = useUrlText("deployment");
  const [stopping, stop] = useState<DeploymentView | null>(null);
  const account = (id: string) => accounts.find((one) => one.account_id === id);
  const name = (one: DeploymentView) => names.get(one.deployment_id) ?? one.graph_hash.slice(0, 8);
  const columns: readonly Column<DeploymentView>[] = [
    { id: "strategy", head: "Strategy", value: name },
    { id: "symbol", head: "Symbol", value: (one) => one.symbol },
    {
      id: "account",
      head: "Account",
      value: (one) => account(one.account_id)?.name ?? "",
      cell: (one) => {
        const found = account(one.account_id);
        const isLive = found !== undefined && kindOf(found) === "LIVE";
        return (
          <>
            {found?.name ?? "\u2014"} <span className={`mode${isLive ? " is-live" : ""}`}>{found === undefined ? "" : kindOf(found)}</span>
          </>
        );
      },
    },
    { id: "status", head: "Status", value: (one) => one.status, cell: (one) => <span className={`standing is-${one.status}`}>{one.status}</span> },
    { id: "capital", head: "Capital", isNumeric: true, value: (one) => one.capital, cell: (one) => money(one.capital) },
    { id: "equity", head: "Equity", isNumeric: true, value: (one) => one.equity, cell: (one) => money(one.equity) },
    { id: "open", head: "Open P&L", isNumeric: true, value: openProfit, cell: (one) => <span className={tone(openProfit(one))}>{profit(openProfit(one))}</span> },
    { id: "realized", head: "Realised", isNumeric: true, value: (one) => one.realized_pnl, cell: (one) => <span className={tone(one.realized_pnl)}>{profit(one.realized_pnl)}</span> },
    { id: "fees", head: "Fees", isNumeric: true, value: (one) => one.fees, cell: (one) => money(one.fees) },
    { id: "bars", head: "Bars", isNumeric: true, value: (one) => one.last_seq },
    { id: "orders", head: "Orders", isNumeric: true, value: (one) => one.intents },
    { id: "since", head: "Since", value: (one) => one.created_at, cell: (one) => moment(one.created_at) },
  ];
  const found = deployments.data?.find((one) => one.deployment_id === chosen);
  return (
    <>
      <Pane title="Deployments" facts="What trades, on paper and live. Choose one to see what it decided, and why." isFlush>
        <Asked query={deployments} what="Deployments" height={120}>
          {(rows) => (
            <DataTable
              name="Deployments"
              rows={rows}
              columns={columns}
              keyOf={(one) => one.deployment_id}
              onOpen={(one) => choose(one.deployment_id)}
              actions={(one) => (
                <Button
                  variant="subtle"
                  size="compact-xs"
                  disabled={!isRunning(one) || !mayTrade(role)}
                  title={isRunning(one) ? "No new orders; what it holds stays with its exits" : `It is ${one.status}`}
                  onClick={() => stop(one)}
                >
                  Stop
                </Button>
              )}
              empty="Nothing trades yet: start a strategy on paper from its menu above."
            />
          )}
        </Asked>
      </Pane>
      {found !== undefined && <DeploymentDetail key={found.deployment_id} deployment={found} name={name(found)} onClose={() => choose("")} />}
      <Confirm
        opened={stopping !== null}
        title={stopping === null ? "" : `Stop ${name(stopping)} on ${stopping.symbol}`}
        consequence="It places no new orders, and its entries that still work are canceled. What it holds stays with its exits."
        verb="Stop"
        onConfirm={async () => {
          if (stopping === null) return;
          await answered(api.POST("/api/v1/deployments/{deployment_id}/stop", { params: { path: { deployment_id: stopping.deployment_id } } }));
          await changed();
        }}
        onClose={() => stop(null)}
      />
    </>
  );
}
