import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { TemplateBacktestView, TemplateView } from "../api/schema";
import { Way } from "../builder/Way";
import { count, decimal, percent, ratio } from "../format/numbers";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";
import { mayTrade, useRole } from "../session/session";
import { changed, createFromTemplate, freeName, useTemplateBacktests, useTemplates } from "./asking";

const OPENED = { tab: "preview", symbol: "", bars: 120 } as const;

/** Ready strategies, each with the backtest made of it here. */
export function Templates({ names }: { names: readonly string[] }) {
  const templates = useTemplates();
  const backtests = useTemplateBacktests();
  return (
    <Pane title="Templates" facts="Ready strategies. Each opens as a graph of your own; its figures come from a backtest made here on the shipped prices.">
      <Asked query={templates} what="The templates" height={180}>
        {(found) => (
          <ul className="templates">
            {found.map((template) => (
              <Card
                key={template.name}
                template={template}
                backtest={backtests.data?.find((one) => one.template === template.name)}
                names={names}
              />
            ))}
          </ul>
        )}
      </Asked>
    </Pane>
  );
}

interface CardProps {
  template: TemplateView;
  backtest: TemplateBacktestView | undefined;
  names: readonly string[];
}

function Card({ template, backtest, names }: CardProps) {
  const navigate = useNavigate();
  const role = useRole();
  const { send, isSending, failure } = useSending(async () => {
    const made = await createFromTemplate(freeName(template.title, names), template);
    await changed();
    await navigate({ to: "/strategies/$id", params: { id: made.workflow_id }, search: OPENED });
  });
  return (
    <li className="template" aria-label={template.title}>
      <h3>{template.title}</h3>
      <p className="dim template-text" title={template.description}>
        {template.description}
      </p>
      {(template.parameters ?? []).length > 0 && (
        <p className="template-params mono" title={`A search may turn ${parametersOf(template)}`}>
          {parametersOf(template)}
        </p>
      )}
      <Figures of={backtest} />
      <div className="template-foot">
        <Button variant="default" loading={isSending} disabled={!mayTrade(role)} title={mayTrade(role) ? undefined : "A viewer makes no strategies"} onClick={() => void send()}>
          Open as mine
        </Button>
        {backtest?.backtest_id != null && backtest.status === "finished" && <Way to={`/backtests/${backtest.backtest_id}`}>Report</Way>}
      </div>
      {failure !== "" && (
        <p role="alert" className="danger">
          {failure}
        </p>
      )}
    </li>
  );
}

/** Each number a search may turn, with how far. */
function parametersOf({ parameters }: TemplateView): string {
  return (parameters ?? []).map((one) => `${one.name} ${decimal(one.value)} (${decimal(one.min)}\u2013${decimal(one.max)})`).join(", ");
}

function Figures({ of }: { of: TemplateBacktestView | undefined }) {
  if (of === undefined) return <p className="dim template-figures">{"\u2014"}</p>;
  if (of.status !== "finished") return <p className="dim template-figures">{of.missing === "" ? `Backtest ${of.status}` : `No backtest: ${of.missing}`}</p>;
  const { figures } = of;
  return (
    <dl className="template-figures">
      <div>
        <dt>Net</dt>
        <dd>{percent(figures["total_return"], { digits: 1, isSigned: true })}</dd>
      </div>
      <div>
        <dt>Sharpe</dt>
        <dd>{ratio(figures["sharpe"])}</dd>
      </div>
      <div>
        <dt>Drawdown</dt>
        <dd>{percent(figures["max_drawdown"], { digits: 1 })}</dd>
      </div>
      <div>
        <dt>Trades</dt>
        <dd>{figures["trade_count"] == null ? "\u2014" : count(figures["trade_count"])}</dd>
      </div>
      <div className="template-on">
        <dt>On</dt>
        <dd title={of.symbols.join(", ")}>
          {of.symbols.length > 2 ? `${of.symbols.length} symbols` : of.symbols.join(", ")}, {of.timeframe}
        </dd>
      </div>
    </dl>
  );
}
