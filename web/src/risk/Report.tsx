import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { answered, api } from "../api/client";
import type { RiskReportView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { decimal, money, percent, price, profit, quantity, tone } from "../format/numbers";
import { moment } from "../format/times";
import { Kpis } from "../panes/Kpis";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useMissing } from "../session/needs";
import { renew, useReport } from "./queries";

function Table({ heads, rows }: { heads: readonly string[]; rows: readonly (readonly [string, ...ReactNode[]])[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          {heads.map((head, index) => (
            <th key={head} className={index === 0 ? "" : "num"}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((cells) => (
          <tr key={cells[0]}>
            {cells.map((cell, index) => (
              <td key={heads[index]} className={index === 0 ? "" : "num"}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Missing({ code, detail }: { code: string; detail: string }) {
  return (
    <>
      <dt className="mono">{code}</dt>
      <dd>{detail}</dd>
    </>
  );
}

const METHOD: Record<string, string> = { historical: "Historical", parametric: "Parametric", cornish_fisher: "Cornish-Fisher", monte_carlo: "Monte Carlo" };

/** The risk of the account's book, measured as it stands. */
export function Report({ accountId }: { accountId: string }) {
  const report = useReport(accountId);
  const missing = useMissing("trade");
  const { send, isSending, failure } = useSending(async () => {
    await answered(api.POST("/api/v1/risk/reports", { body: { account_id: accountId } }));
    await renew();
  });
  return (
    <Asked query={report} what="The risk report" height={240}>
      {(data) => (
        <>
          <div className="pane-12 row">
            <span className="dim">
              Measured {moment(data.measured_at)}, prices of {moment(data.as_of)}, {data.history_days} days of history
            </span>
            <Button variant="default" loading={isSending} disabled={missing !== ""} title={missing} onClick={() => void send()}>
              Keep this report
            </Button>
            <span role="alert" className="danger">
              {failure}
            </span>
          </div>
          <Figures report={data} />
          <Exposure report={data} />
          <Losses report={data} />
        </>
      )}
    </Asked>
  );
}

function Figures({ report }: { report: RiskReportView }) {
  const tail = report.tails.find((one) => one.method === "historical" && Number(one.confidence) >= 0.99) ?? report.tails[0];
  const level = tail === undefined ? "" : `${percent(tail.confidence, { digits: 0 })}, one day, ${(METHOD[tail.method] ?? tail.method).toLowerCase()}`;
  return (
    <div className="pane-12">
      <Kpis
        of={[
          { label: "Equity", value: money(report.equity) },
          { label: "Gross exposure", value: money(report.gross) },
          { label: "Net exposure", value: money(report.net) },
          { label: "Leverage", value: decimal(report.leverage, { digits: 2 }) },
          { label: "Value at risk", value: money(tail?.var), hint: level },
          { label: "Expected shortfall", value: money(tail?.es), hint: level },
          { label: "Drawdown now", value: percent(report.drawdown?.current), hint: `deepest ${percent(report.drawdown?.deepest)}` },
        ]}
      />
    </div>
  );
}

function Exposure({ report }: { report: RiskReportView }) {
  return (
    <>
      <Pane title="Exposure by symbol" isFlush columns={7} facts={`concentration ${decimal(report.concentration, { digits: 2 })}`}>
        {report.symbols.length === 0 ? (
          <Empty>Nothing is held.</Empty>
        ) : (
          <Table
            heads={["Symbol", "Class", "Quantity", "Price", "Value", "Share"]}
            rows={report.symbols.map((one) => [one.symbol, one.asset_class, quantity(one.qty), price(one.price), money(one.value), percent(one.share)])}
          />
        )}
      </Pane>
      <Pane title="By strategy and class" isFlush columns={5}>
        {report.books.length + report.classes.length === 0 ? (
          <Empty>Nothing is held.</Empty>
        ) : (
          <Table
            heads={["Of", "Gross", "Net"]}
            rows={[
              ...report.books.map((one) => [one.name === "unassigned" ? "Orders by hand" : `Strategy ${one.name.slice(-6)}`, money(one.gross), money(one.net)] as const),
              ...report.classes.map((one) => [`Class ${one.name}`, money(one.gross), money(one.net)] as const),
            ]}
          />
        )}
      </Pane>
    </>
  );
}

function Losses({ report }: { report: RiskReportView }) {
  const test = report.backtest;
  return (
    <>
      <Pane
        title="Tail losses of one day"
        isFlush
        columns={6}
        facts={test === null ? undefined : `${test.exceptions} exceptions in ${test.days} days, ${decimal(test.expected, { digits: 1 })} expected${test.is_rejected ? ": rejected" : ""}`}
      >
        {report.tails.length === 0 ? (
          <Empty>There is not enough history for tail losses.</Empty>
        ) : (
          <Table
            heads={["Method", "Confidence", "Value at risk", "Expected shortfall"]}
            rows={report.tails.map((one) => [`${METHOD[one.method] ?? one.method} ${percent(one.confidence, { digits: 0 })}`, percent(one.confidence, { digits: 0 }), money(one.var), money(one.es)])}
          />
        )}
      </Pane>
      <Pane title="Stress" isFlush columns={6}>
        {report.stress.length === 0 ? (
          <Empty>No scenario touches what is held.</Empty>
        ) : (
          <Table
            heads={["Scenario", "Result", "Of equity"]}
            rows={report.stress.map((one) => [
              one.name.replaceAll("_", " "),
              <span key="pnl" className={tone(one.pnl)}>
                {profit(one.pnl)}
              </span>,
              percent(one.share),
            ])}
          />
        )}
      </Pane>
      {report.missing.length > 0 && (
        <Pane title="Not measured">
          <dl className="facts">
            {report.missing.map((one) => (
              <Missing key={one.code} code={one.code} detail={one.detail} />
            ))}
          </dl>
        </Pane>
      )}
    </>
  );
}
