import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { CircleCheck, Circle } from "lucide-react";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { SampleView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { useSending } from "../forms/useSending";
import { Pane } from "../panes/Pane";
import { SampleChip } from "../panes/SampleChip";
import { isThrough, stepsOf } from "./checklist";
import { useBacktests, useBringSample, useDeployments, useRemoveSample } from "./queries";

interface ChecklistProps {
  sample: SampleView | undefined;
  isPutAside: boolean;
  onPutAside: () => void;
}

/** The first steps, until they are taken or put aside. */
export function Checklist({ sample, isPutAside, onPutAside }: ChecklistProps) {
  const backtests = useBacktests();
  const deployments = useDeployments();
  const connections = useQuery({ queryKey: ["connections"], queryFn: () => answered(api.GET("/api/v1/connections")) });
  const { routesByPath } = useRouter();
  if (backtests.data === undefined || deployments.data === undefined || sample === undefined) return null;
  const steps = stepsOf({
    backtests: backtests.data,
    deployments: deployments.data,
    connections: connections.data?.connections ?? [],
    sample,
  });
  if (isPutAside || isThrough(steps)) return null;
  const hasPage = (to: string) => `/${to.split("/")[1]}` in routesByPath;
  return (
    <Pane
      title="First steps"
      facts={`${steps.filter((step) => step.isDone).length} of ${steps.length} done`}
      actions={
        <Button variant="subtle" color="gray" onClick={onPutAside}>
          Hide
        </Button>
      }
    >
      <ol className="steps">
        {steps.map(({ label, why, isDone, to }) => (
          <li key={label} className={isDone ? "is-done" : ""}>
            {isDone ? <CircleCheck size={18} aria-label="Done" /> : <Circle size={18} aria-label="To do" />}
            <span>
              {hasPage(to) ? <Link to={to}>{label}</Link> : <span>{label}</span>}
              <span className="dim">{why}</span>
            </span>
          </li>
        ))}
      </ol>
    </Pane>
  );
}

/** What the sample is, while there is one or one is offered. */
export function SampleLine({ sample }: { sample: SampleView | undefined }) {
  const [isAsked, ask] = useState(false);
  const bring = useSending(useBringSample());
  const remove = useRemoveSample();
  if (sample === undefined || sample.state === "absent" || sample.state === "removed") return null;
  if (sample.state === "offered") {
    return (
      <p className="sample-line">
        <SampleChip /> A finished backtest and a paper strategy on replayed prices can be brought to look around with.
        <Button variant="default" loading={bring.isSending} onClick={() => void bring.send()}>
          Load sample
        </Button>
        <span className="danger">{bring.failure}</span>
      </p>
    );
  }
  return (
    <p className="sample-line" role="status">
      <SampleChip />
      {sample.state === "coming"
        ? "The sample is being made: a backtest, and a strategy on paper that replays old prices…"
        : "The marked backtest, strategy and account replay real prices of AAPL and MSFT from 2005, one day a second: no live market."}
      {sample.state === "there" && (
        <Button variant="default" onClick={() => ask(true)}>
          Remove sample
        </Button>
      )}
      <Confirm
        opened={isAsked}
        title="Remove the sample"
        consequence="Whatever trades in its account stops, its orders are canceled, its prices stop, its strategy is archived, and its account is hidden. The books of an account are never deleted, and the backtest stays in the list. The sample does not come back."
        verb="Remove sample"
        onConfirm={remove}
        onClose={() => ask(false)}
      />
    </p>
  );
}
