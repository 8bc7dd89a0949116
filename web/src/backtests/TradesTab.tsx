import { useMemo } from "react";
import type { BacktestView } from "../api/schema";
import { count, decimal, percent, price, profit, quantity, tone } from "../format/numbers";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { type Column, DataTable } from "../tables/DataTable";
import { CourseChart } from "./CourseChart";
import { openingOf } from "./marks";
import { resultOf, type Trade } from "./result";

interface Row extends Trade {
  number: number;
  mae: number | null;
  mfe: number | null;
}

const SIDE = { buy: "▲ Long", sell: "▼ Short" } as const;

const COLUMNS: Column<Row>[] = [
  { id: "number", head: "#", isNumeric: true, value: (row) => row.number },
  { id: "symbol", head: "Symbol", value: (row) => row.symbol ?? null, isHidden: true },
  { id: "opened", head: "Opened", value: (row) => row.opened_ts, cell: (row) => moment(row.opened_ts) },
  { id: "closed", head: "Closed", value: (row) => row.closed_ts, cell: (row) => moment(row.closed_ts) },
  { id: "side", head: "Side", value: (row) => row.side, cell: (row) => <span className={row.side === "buy" ? "up" : "down"}>{SIDE[row.side]}</span> },
  { id: "qty", head: "Quantity", isNumeric: true, value: (row) => row.qty, cell: (row) => quantity(row.qty) },
  { id: "entry", head: "Entry", isNumeric: true, value: (row) => row.entry_price, cell: (row) => price(row.entry_price) },
  { id: "exit", head: "Exit", isNumeric: true, value: (row) => row.exit_price, cell: (row) => price(row.exit_price) },
  { id: "net", head: "Net", isNumeric: true, isSummed: true, value: (row) => row.net, cell: (row) => <span className={tone(row.net)}>{profit(row.net)}</span> },
  { id: "fees", head: "Fees", isNumeric: true, isSummed: true, value: (row) => row.fees, cell: (row) => decimal(row.fees, { digits: 2 }) },
  { id: "bars", head: "Bars", isNumeric: true, value: (row) => row.bars },
  { id: "mae", head: "Against", isNumeric: true, value: (row) => row.mae, cell: (row) => percent(row.mae) },
  { id: "mfe", head: "Favour", isNumeric: true, value: (row) => row.mfe, cell: (row) => percent(row.mfe) },
  { id: "entry_tag", head: "Opened by", value: (row) => row.entry_tag },
  { id: "exit_tag", head: "Closed by", value: (row) => row.exit_tag },
];

interface TradesTabProps {
  backtest: BacktestView;
  /** The number of the trade that is picked, from 1; 0 for none. */
  picked: number;
  onPick: (number: number) => void;
  onMark: (id: string) => void;
  onBar: (at: number) => void;
}

/** Every closed trade; a row shows its entry on the chart, and a mark on the chart its row. */
export function TradesTab({ backtest, picked, onPick, onMark, onBar }: TradesTabProps) {
  const result = resultOf(backtest);
  const rows = useMemo<Row[]>(
    () =>
      result.trades.map((trade, place) => {
        const [mae = null, mfe = null] = result.excursions[place] ?? [];
        return { ...trade, number: place + 1, mae, mfe };
      }),
    [result],
  );
  const trade = rows[picked - 1];
  const leftOut = result.left_out["trades"] ?? 0;
  return (
    <>
      <Pane title="Price and fills" facts={trade === undefined ? "Click a mark or a row" : said(trade)}>
        <CourseChart backtest={backtest} isPrice selected={openingOf(trade, result.fills)} onMark={onMark} onBar={onBar} />
      </Pane>
      <Pane title="Trades" isFlush facts={leftOut > 0 ? `${count(leftOut)} older ones are left out of this report` : undefined}>
        <DataTable
          name="Trades"
          rows={rows}
          columns={COLUMNS}
          keyOf={(row) => String(row.number)}
          order="-number"
          selected={new Set(trade === undefined ? [] : [String(trade.number)])}
          onOpen={(row) => onPick(row.number === picked ? 0 : row.number)}
          empty="No trade was closed."
        />
      </Pane>
    </>
  );
}

function said(trade: Row): string {
  return `Trade ${trade.number}: ${SIDE[trade.side]} ${quantity(trade.qty)} from ${moment(trade.opened_ts)} to ${moment(trade.closed_ts)}, net ${profit(trade.net)}`;
}
