import type { ActivityView, OrderView } from "../api/schema";
import { decimal, NOT_APPLICABLE, price, profit, quantity } from "../format/numbers";
import { local, moment } from "../format/times";
import { StrategyLink } from "../strategies/StrategyLink";
import type { Column } from "../tables/DataTable";
import { isRefused, stageOf, wordsOf } from "./states";
import "./orders.css";

/** A time as everywhere, the local one where somebody points. */
export function When({ at }: { at: string | null | undefined }) {
  return <time title={local(at)}>{moment(at)}</time>;
}

export function Side({ side }: { side: string | null }) {
  if (side === null) return NOT_APPLICABLE;
  return side === "buy" ? <span className="up">▲ Buy</span> : <span className="down">▼ Sell</span>;
}

export function Status({ status }: { status: string }) {
  return <span className={`order-status is-${isRefused(status) ? "refused" : stageOf(status)}`}>{wordsOf(status)}</span>;
}

export function typeOf(order: Pick<OrderView, "type" | "time_in_force">): string {
  return `${order.type.replaceAll("_", " ")} ${order.time_in_force}`;
}

/** The price an order works at: its limit, else what triggers it. */
export function workingPrice(order: OrderView): string | null {
  return order.limit_price ?? order.stop_price ?? null;
}

function priceText(order: OrderView): string {
  const parts = [
    order.stop_price == null ? "" : `stop ${price(order.stop_price)}`,
    order.limit_price == null ? "" : price(order.limit_price),
    order.trail_price == null ? "" : `trail ${price(order.trail_price)}`,
    order.trail_percent == null ? "" : `trail ${decimal(order.trail_percent)} %`,
  ].filter(Boolean);
  return parts.join(" / ") || NOT_APPLICABLE;
}

/** How much is asked for: a quantity, or an amount of money. */
function asked(order: OrderView): string {
  return order.qty == null ? `${decimal(order.notional)} in money` : quantity(order.qty);
}

export function orderColumns(strategyOf: (bookId: string | null) => string): Column<OrderView>[] {
  return [
    { id: "time", head: "Time", value: (one) => one.created_at, cell: (one) => <When at={one.created_at} /> },
    { id: "strategy", head: "Strategy", value: (one) => strategyOf(one.book_id) || null, cell: (one) => (one.book_id === null ? NOT_APPLICABLE : <StrategyLink deploymentId={one.book_id} name={strategyOf(one.book_id)} />) },
    { id: "symbol", head: "Symbol", value: (one) => one.symbol, cell: (one) => <strong>{one.symbol}</strong> },
    { id: "side", head: "Side", value: (one) => one.side, cell: (one) => <Side side={one.side} /> },
    { id: "type", head: "Type", value: typeOf },
    { id: "qty", head: "Quantity", value: (one) => one.qty ?? one.notional ?? null, cell: asked, isNumeric: true },
    { id: "filled", head: "Filled", value: (one) => one.filled_qty, cell: (one) => quantity(one.filled_qty), isNumeric: true },
    { id: "price", head: "Price", value: workingPrice, cell: priceText, isNumeric: true },
    {
      id: "average",
      head: "Average",
      value: (one) => one.filled_avg_price,
      cell: (one) => price(one.filled_avg_price),
      isNumeric: true,
    },
    { id: "status", head: "Status", value: (one) => wordsOf(one.status), cell: (one) => <Status status={one.status} /> },
    {
      id: "reason",
      head: "Reason",
      value: (one) => [one.reason_code, one.reason].filter(Boolean).join(": "),
      cell: (one) =>
        one.reason_code === "" ? (
          NOT_APPLICABLE
        ) : (
          <span className="order-reason" title={one.reason}>
            <code>{one.reason_code}</code>
          </span>
        ),
    },
    { id: "client", head: "Client order id", value: (one) => one.client_order_id, isHidden: true },
    { id: "id", head: "Order id", value: (one) => one.order_id, isHidden: true },
  ];
}

export const FILL_COLUMNS: Column<ActivityView>[] = [
  { id: "time", head: "Time", value: (one) => one.executed_at ?? one.booked_at, cell: (one) => <When at={one.executed_at ?? one.booked_at} /> },
  { id: "symbol", head: "Symbol", value: (one) => one.symbol, cell: (one) => <strong>{one.symbol}</strong> },
  { id: "side", head: "Side", value: (one) => one.side, cell: (one) => <Side side={one.side} /> },
  { id: "qty", head: "Quantity", value: (one) => one.qty, cell: (one) => quantity(one.qty), isNumeric: true, isSummed: true },
  { id: "price", head: "Price", value: (one) => one.price, cell: (one) => price(one.price), isNumeric: true },
  { id: "net", head: "Cash", value: (one) => one.net_amount, cell: (one) => profit(one.net_amount), isNumeric: true, isSummed: true },
  { id: "filled", head: "Order filled", value: (one) => one.cum_qty ?? null, cell: (one) => quantity(one.cum_qty), isNumeric: true },
  { id: "left", head: "Order left", value: (one) => one.leaves_qty ?? null, cell: (one) => quantity(one.leaves_qty), isNumeric: true },
  { id: "order", head: "Order id", value: (one) => one.order_id, isHidden: true },
];
