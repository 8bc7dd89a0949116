import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import type { PositionView, SummaryView } from "../api/schema";
import { sumOf, negated } from "../format/decimals";
import { money, percent, profit, tone } from "../format/numbers";
import { When } from "../orders/columns";
import "../orders/orders.css";
import { type Kpi, Kpis } from "../panes/Kpis";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { ClosePosition } from "../portfolio/ClosePosition";
import { CASH_COLUMNS, exposureColumns, positionColumns } from "../portfolio/columns";
import { exposures, isHeld } from "../portfolio/exposure";
import { LISTED_MAX, useCash, useLivePortfolio, usePositions, useSummary } from "../portfolio/queries";
import { Reconciliation } from "../portfolio/Reconciliation";
import { useAccount, useAccounts } from "../session/account";
import { mayTrade, useRole } from "../session/session";
import { useStrategyNames } from "../strategies/executions";
import { DataTable } from "../tables/DataTable";

const BY_ASSET = exposureColumns("Asset");
const BY_STRATEGY = exposureColumns("Strategy");

function kpisOf(one: SummaryView): Kpi[] {
  const today = sumOf([one.equity, negated(one.last_equity)]);
  const share = Number(one.last_equity) > 0 ? Number(today) / Number(one.last_equity) : null;
  const pnl = (label: string, amount: string, hint: string): Kpi => {
    const direction = tone(amount);
    return { label, value: profit(amount), hint, ...(direction === "none" ? {} : { tone: direction }) };
  };
  return [
    { label: `Equity, ${one.currency}`, value: money(one.equity), hint: "Cash and everything held, at the newest prices" },
    pnl("Since the day before", today, percent(share, { isSigned: true })),
    { label: `Cash, ${one.currency}`, value: money(one.cash), hint: `Buying power ${money(one.buying_power)}` },
    pnl("Unrealised", one.unrealized_pnl, "Of what is held, before fees"),
    pnl("Realised", one.realized_pnl, "Of what was closed, before fees"),
    { label: "Fees", value: money(one.fees), hint: "Paid so far" },
    pnl("Profit in all", one.profit, `On ${money(one.invested)} put in`),
  ];
}

/** What an account holds, what that is worth, and how both came about. */
export default function Portfolio() {
  const accounts = useAccounts();
  const { account } = useAccount();
  const accountId = account?.account_id;
  const role = useRole();
  const navigate = useNavigate();
  const [closing, close] = useState<{ position: PositionView; isWhole: boolean } | null>(null);
  const positions = usePositions(accountId);
  const summary = useSummary(accountId);
  const cash = useCash(accountId);
  const names = useStrategyNames();
  const held = useMemo(() => (positions.data ?? []).filter(isHeld), [positions.data]);
  useLivePortfolio(accountId, useMemo(() => [...new Set(held.map((one) => one.symbol))].sort(), [held]));
  const strategyOf = useCallback(
    (bookId: string | null) => (bookId === null ? "By hand" : (names.get(bookId) ?? bookId.slice(0, 8))),
    [names],
  );
  const columns = useMemo(() => positionColumns(strategyOf), [strategyOf]);
  const why = mayTrade(role) ? "" : "Your role may look but not trade: ask an owner for the role trader.";
  if (accounts.data?.length === 0) {
    return (
      <div className="page">
        <div className="page-title">
          <h1>Portfolio</h1>
        </div>
        <Pane title="Account">
          <Empty>A portfolio belongs to an account, and there is none yet.</Empty>
        </Pane>
      </div>
    );
  }
  const drill = (one: PositionView) => void navigate({ to: "/orders", search: { tab: "fills", "fills.filter": one.symbol } as never });
  const equity = summary.data?.equity ?? "0";
  const exposed: [string, typeof BY_ASSET, (one: PositionView) => string][] = [
    ["Exposure by asset", BY_ASSET, (one) => one.symbol],
    ["Exposure by strategy", BY_STRATEGY, (one) => strategyOf(one.book_id)],
  ];
  return (
    <div className="page">
      <div className="page-title">
        <h1>Portfolio</h1>
        <span className="dim">
          {account?.name}
          {summary.data?.marked_at != null && (
            <>
              {" "}
              · prices of <When at={summary.data.marked_at} />
            </>
          )}
        </span>
      </div>
      <Asked query={summary} what="The worth of the account" height={72}>
        {(found) => <Kpis of={kpisOf(found)} />}
      </Asked>
      <Pane title="Positions" isFlush>
        <Asked query={positions} what="The positions" height={120}>
          {() => (
            <DataTable
              name="Positions"
              rows={held}
              columns={columns}
              keyOf={(one) => `${one.symbol} ${one.book_id ?? ""}`}
              onOpen={drill}
              order="symbol"
              empty={<Empty>Nothing is held.</Empty>}
              actions={(one) => (
                <span className="order-buttons">
                  <Button variant="subtle" color="gray" size="compact-xs" disabled={why !== ""} title={why} onClick={() => close({ position: one, isWhole: false })}>
                    Reduce
                  </Button>
                  <Button variant="subtle" color="gray" size="compact-xs" disabled={why !== ""} title={why} onClick={() => close({ position: one, isWhole: true })}>
                    Close
                  </Button>
                </span>
              )}
            />
          )}
        </Asked>
      </Pane>
      {exposed.map(([name, columns, nameOf]) => (
        <Pane key={name} title={name} columns={6} isFlush>
          <Asked query={positions} what="The exposure">
            {() => <DataTable name={name} rows={exposures(held, nameOf, equity)} columns={columns} keyOf={(one) => one.name} empty={<Empty>Nothing is held.</Empty>} />}
          </Asked>
        </Pane>
      ))}
      <Pane title="Cash ledger" isFlush facts={cash.data !== undefined && cash.data.length >= LISTED_MAX ? `The newest ${LISTED_MAX} are shown` : undefined}>
        <Asked query={cash} what="The cash ledger" height={160}>
          {(found) => (
            <DataTable name="Cash ledger" rows={found} columns={CASH_COLUMNS} keyOf={(one) => one.activity_id} order="-time" empty={<Empty>No money has moved yet.</Empty>} />
          )}
        </Asked>
      </Pane>
      {account !== undefined && <Reconciliation account={account} why={why} />}
      {closing !== null && account !== undefined && (
        <ClosePosition account={account} position={closing.position} isWhole={closing.isWhole} onClose={() => close(null)} />
      )}
    </div>
  );
}
