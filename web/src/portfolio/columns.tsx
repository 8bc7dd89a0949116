import type { ActivityView, BreakView, PositionView } from "../api/schema";
import { money, NOT_APPLICABLE, percent, price, profit, quantity, tone } from "../format/numbers";
import { When } from "../orders/columns";
import { StrategyLink } from "../strategies/StrategyLink";
import type { Column } from "../tables/DataTable";
import type { Exposure } from "./exposure";

export function Pnl({ amount }: { amount: string | null | undefined }) {
  return <span className={tone(amount)}>{profit(amount)}</span>;
}

export function positionColumns(strategyOf: (bookId: string | null) => string): Column<PositionView>[] {
  return [
    { id: "symbol", head: "Symbol", value: (one) => one.symbol, cell: (one) => <strong>{one.symbol}</strong> },
    { id: "strategy", head: "Strategy", value: (one) => strategyOf(one.book_id), cell: (one) => (one.book_id === null ? strategyOf(null) : <StrategyLink deploymentId={one.book_id} name={strategyOf(one.book_id)} />) },
    { id: "qty", head: "Quantity", value: (one) => one.qty, cell: (one) => quantity(one.qty), isNumeric: true },
    { id: "average", head: "Average", value: (one) => one.avg_price, cell: (one) => price(one.avg_price), isNumeric: true },
    {
      id: "price",
      head: "Last",
      value: (one) => one.price ?? null,
      cell: (one) => <span title={one.marked_at ?? ""}>{price(one.price)}</span>,
      isNumeric: true,
    },
    { id: "value", head: "Value", value: (one) => one.market_value ?? null, cell: (one) => money(one.market_value), isNumeric: true, isSummed: true },
    {
      id: "unrealized",
      head: "Unrealised",
      value: (one) => one.unrealized_pnl ?? null,
      cell: (one) => <Pnl amount={one.unrealized_pnl} />,
      isNumeric: true,
      isSummed: true,
    },
    { id: "realized", head: "Realised", value: (one) => one.realized_pnl, cell: (one) => <Pnl amount={one.realized_pnl} />, isNumeric: true, isSummed: true },
    { id: "fees", head: "Fees", value: (one) => one.fees, cell: (one) => money(one.fees), isNumeric: true, isSummed: true },
  ];
}

export function exposureColumns(head: string): Column<Exposure>[] {
  return [
    { id: "name", head, value: (one) => one.name, cell: (one) => <strong>{one.name}</strong> },
    { id: "value", head: "Value", value: (one) => one.value, cell: (one) => money(one.value), isNumeric: true },
    { id: "share", head: "Of equity", value: (one) => one.share, cell: (one) => percent(one.share), isNumeric: true },
    { id: "unrealized", head: "Unrealised", value: (one) => one.unrealized, cell: (one) => <Pnl amount={one.unrealized} />, isNumeric: true },
  ];
}

export const CASH_COLUMNS: Column<ActivityView>[] = [
  { id: "time", head: "Booked", value: (one) => one.booked_at, cell: (one) => <When at={one.booked_at} /> },
  { id: "kind", head: "Kind", value: (one) => one.kind.replaceAll("_", " ") },
  { id: "symbol", head: "Symbol", value: (one) => one.symbol || null },
  { id: "side", head: "Side", value: (one) => one.side },
  { id: "qty", head: "Quantity", value: (one) => (one.symbol === "" ? null : one.qty), cell: (one) => (one.symbol === "" ? NOT_APPLICABLE : quantity(one.qty)), isNumeric: true },
  { id: "price", head: "Price", value: (one) => one.price, cell: (one) => price(one.price), isNumeric: true },
  { id: "net", head: "Cash", value: (one) => one.net_amount, cell: (one) => profit(one.net_amount), isNumeric: true, isSummed: true },
  { id: "description", head: "Description", value: (one) => one.description || null },
];

export const BREAK_COLUMNS: Column<BreakView>[] = [
  { id: "time", head: "Found", value: (one) => one.found_at, cell: (one) => <When at={one.found_at} /> },
  { id: "code", head: "Code", value: (one) => one.code, cell: (one) => <code>{one.code}</code> },
  { id: "symbol", head: "Symbol", value: (one) => one.symbol || null },
  { id: "detail", head: "Difference", value: (one) => one.detail },
];
