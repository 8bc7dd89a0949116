import { Button, Tabs } from "@mantine/core";
import { Plus } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import type { OrderView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { Amend } from "../orders/Amend";
import { FILL_COLUMNS, orderColumns } from "../orders/columns";
import type { Tab } from "../orders/patch";
import { cancelAll, cancelEach, LISTED_MAX, useFills, useLiveOrders, useOrders } from "../orders/queries";
import { isWorking, whyNotAmend, whyNotCancel } from "../orders/states";
import { TicketDrawer } from "../orders/TicketDrawer";
import { Timeline } from "../orders/Timeline";
import { Asked, Empty } from "../panes/states";
import { useAccount, useAccounts } from "../session/account";
import { mayTrade, useRole } from "../session/session";
import { useUrlChoice, useUrlText } from "../shell/urlState";
import { useStrategyNames } from "../strategies/executions";
import { DataTable } from "../tables/DataTable";
import "../orders/orders.css";

const TABS = ["working", "all", "fills"] as const;
const NO_TRADING = "Your role may look but not trade: ask an owner for the role trader.";

/** What was ordered, what became of it, and the ways to change that. */
export default function Orders() {
  const accounts = useAccounts();
  const { account } = useAccount();
  const accountId = account?.account_id;
  const [tab, choose] = useUrlChoice("tab", TABS, "working");
  const [shown, show] = useUrlText("order");
  const [asking, ask] = useState<Asking | null>(null);
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const role = useRole();
  const working = useOrders(accountId, "working");
  const all = useOrders(tab === "all" || shown !== "" ? accountId : undefined, "all");
  const fills = useFills(accountId, tab === "fills");
  const names = useStrategyNames();
  useLiveOrders(accountId);
  const strategyOf = useCallback(
    (bookId: string | null) => (bookId === null ? "" : (names.get(bookId) ?? bookId.slice(0, 8))),
    [names],
  );
  const columns = useMemo(() => orderColumns(strategyOf), [strategyOf]);
  const why = mayTrade(role) ? (account === undefined ? "There is no account yet." : "") : NO_TRADING;
  const known = working.data ?? [];
  const chosen = [...selected].filter((id) => known.some((one) => one.order_id === id && whyNotCancel(one.status) === ""));
  const detail = [...known, ...(all.data ?? [])].find((one) => one.order_id === shown);
  const close = () => ask(null);
  const open = (order: OrderView) => show(order.order_id);
  const buttons = (order: OrderView) => (
    <RowButtons order={order} why={why} onAmend={() => ask({ kind: "amend", order })} onCancel={() => ask({ kind: "cancel", ids: [order.order_id], all: false })} />
  );
  const table = (which: Tab) => (
    <Asked query={which === "working" ? working : all} what="The orders" height={200}>
      {(orders) => (
        <>
          <DataTable
            name="Orders"
            rows={orders}
            columns={columns}
            keyOf={(one) => one.order_id}
            onOpen={open}
            actions={buttons}
            order="-time"
            empty={<Empty>{which === "working" ? "No order is working." : "No order was placed yet."}</Empty>}
            {...(which === "working" ? { selected, onSelect: select } : {})}
          />
          {orders.length >= LISTED_MAX && <p className="state">The newest {LISTED_MAX} are shown.</p>}
        </>
      )}
    </Asked>
  );
  return (
    <div className="page orders-page">
      <div className="page-title">
        <h1>Orders</h1>
        <span className="dim">{account?.name}</span>
        <div className="page-actions">
          <Button
            variant="default"
            disabled={why !== "" || chosen.length === 0}
            title={why || (chosen.length === 0 ? "Select working orders first." : "")}
            onClick={() => ask({ kind: "cancel", ids: chosen, all: false })}
          >
            Cancel selected{chosen.length > 0 ? ` (${chosen.length})` : ""}
          </Button>
          <Button
            variant="default"
            disabled={why !== "" || known.length === 0}
            title={why || (working.data === undefined ? "The orders are being read." : known.length === 0 ? "No order is working." : "")}
            onClick={() => ask({ kind: "cancel", ids: known.map((one) => one.order_id), all: true })}
          >
            Cancel all{known.length > 0 ? ` (${known.length})` : ""}
          </Button>
          <Button leftSection={<Plus size={14} aria-hidden />} disabled={why !== ""} title={why} onClick={() => ask({ kind: "ticket" })}>
            New order
          </Button>
        </div>
      </div>
      <section className="pane pane-12" aria-label="Blotter">
        {accounts.data?.length === 0 ? (
          <Empty>Orders belong to an account, and there is none yet.</Empty>
        ) : (
          <Tabs value={tab} onChange={(next) => choose(TABS.find((one) => one === next) ?? "working")} keepMounted={false}>
            <Tabs.List aria-label="Which orders">
              <Tabs.Tab value="working">Working {working.data && `(${working.data.length})`}</Tabs.Tab>
              <Tabs.Tab value="all">All</Tabs.Tab>
              <Tabs.Tab value="fills">Fills</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="working">{table("working")}</Tabs.Panel>
            <Tabs.Panel value="all">{table("all")}</Tabs.Panel>
            <Tabs.Panel value="fills">
              <Asked query={fills} what="The fills" height={200}>
                {(found) => (
                  <DataTable
                    name="Fills"
                    rows={found}
                    columns={FILL_COLUMNS}
                    keyOf={(one) => one.activity_id}
                    onOpen={(one) => show(one.order_id ?? "")}
                    order="-time"
                    empty={<Empty>Nothing was filled yet.</Empty>}
                  />
                )}
              </Asked>
            </Tabs.Panel>
          </Tabs>
        )}
      </section>
      {detail !== undefined && <Timeline order={detail} strategy={strategyOf(detail.book_id)} onClose={() => show("")} />}
      {asking?.kind === "ticket" && account !== undefined && <TicketDrawer account={account} onClose={close} onSent={open} />}
      {asking?.kind === "amend" && <Amend order={asking.order} onClose={close} />}
      <Confirm
        opened={asking?.kind === "cancel"}
        title={`Cancel ${asking?.kind === "cancel" ? counted(asking) : ""}`}
        verb="Cancel orders"
        consequence="The venue is asked. What fills before it answers stays filled; each order shows when it is canceled."
        onConfirm={async () => {
          if (asking?.kind !== "cancel" || accountId === undefined) return;
          await (asking.all ? cancelAll(accountId) : cancelEach(asking.ids));
          select(new Set());
        }}
        onClose={close}
      />
    </div>
  );
}

type Asking = { kind: "ticket" } | { kind: "amend"; order: OrderView } | { kind: "cancel"; ids: readonly string[]; all: boolean };

function counted({ ids, all }: { ids: readonly string[]; all: boolean }): string {
  if (all) return ids.length === 1 ? "the one working order" : `all ${ids.length} working orders`;
  return ids.length === 1 ? "1 order" : `${ids.length} orders`;
}

interface RowButtonsProps {
  order: OrderView;
  why: string;
  onAmend: () => void;
  onCancel: () => void;
}

function RowButtons({ order, why, onAmend, onCancel }: RowButtonsProps) {
  if (!isWorking(order.status)) return null;
  const [noAmend, noCancel] = [why || whyNotAmend(order), why || whyNotCancel(order.status)];
  return (
    <span className="order-buttons">
      <Button variant="subtle" color="gray" size="compact-xs" disabled={noAmend !== ""} title={noAmend} onClick={onAmend}>
        Change
      </Button>
      <Button variant="subtle" color="gray" size="compact-xs" disabled={noCancel !== ""} title={noCancel} onClick={onCancel}>
        Cancel
      </Button>
    </span>
  );
}
