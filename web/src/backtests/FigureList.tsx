import { Tooltip } from "@mantine/core";
import "./backtests.css";
import { figureTone, type Figures, formulaOf, shownFigure } from "./figures";

const GROUPS: readonly [string, string, string][] = [
  ["Return and risk", "final_equity", "periods_per_year"],
  ["Against buying and holding", "benchmark_return", "tracking_error"],
  ["Exposure", "exposure", "capacity"],
  ["Trades", "trade_count", "longest_losses"],
  ["Costs", "fees_total", "break_even_cost"],
];

interface FigureListProps {
  metrics: Readonly<Record<string, number | null>>;
  figures: Figures;
}

/** Every figure in groups, each with its formula and where that is from. */
export function FigureList({ metrics, figures }: FigureListProps) {
  const names = [...figures.keys()];
  return (
    <div className="figure-groups">
      {GROUPS.map(([title, first, last]) => (
        <div key={title}>
          <h3>{title}</h3>
          <dl className="figure-list">
            {names.slice(names.indexOf(first), names.indexOf(last) + 1).map((name) => {
              const figure = figures.get(name);
              return (
                <div key={name} style={{ display: "contents" }}>
                  <dt>
                    <Tooltip label={formulaOf(figure)} multiline w={360} style={{ whiteSpace: "pre-line" }}>
                      <span tabIndex={0}>{figure?.label ?? name}</span>
                    </Tooltip>
                  </dt>
                  <dd className={figureTone(metrics[name], name)}>{shownFigure(metrics[name], figure)}</dd>
                </div>
              );
            })}
          </dl>
        </div>
      ))}
    </div>
  );
}
