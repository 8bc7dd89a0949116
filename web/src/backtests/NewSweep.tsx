import { ActionIcon, Button, Checkbox, Drawer, Select, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { useSending } from "../forms/useSending";
import { count } from "../format/numbers";
import { parametersOf } from "./graph";
import { SWEEPS } from "./queries";
import { bodyOf, missingOf, type Turned, USUAL, valuesOf } from "./terms";
import { TermsFields, useChosen, useVersion } from "./TermsFields";

const METHODS = [
  { value: "grid", label: "Grid: every combination" },
  { value: "random", label: "Random" },
  { value: "tpe", label: "TPE: learns where it is good" },
];
const OBJECTIVES = ["sharpe", "sortino", "calmar", "total_return", "profit_factor", "expectancy", "sqn", "psr"];
const WHOLE = /^[1-9]\d*$/;

/** What is to be searched: a strategy's numbers within ranges, once or in windows that walk forward. */
export function NewSweep({ onClose, onStarted }: { onClose: () => void; onStarted: (id: string) => void }) {
  const [terms, change] = useState(USUAL);
  const [turned, turn] = useState<Turned[]>([]);
  const [method, choose] = useState("grid");
  const [objective, aim] = useState("sharpe");
  const [trials, write] = useState("100");
  const [isWalking, walk] = useState(false);
  const [lengths, measure] = useState({ train: "500", test: "125" });
  const numbers = parametersOf(useChosen(terms.strategy)).filter((one) => one.isNumber);
  const queries = useQueryClient();
  const versionOf = useVersion();
  const sizes = turned.map(valuesOf);
  const points = sizes.reduce<number>((product, size) => product * (size ?? 0), 1);
  const missing =
    missingOf(terms) ||
    (turned.length === 0 && "Choose a parameter to turn") ||
    (sizes.includes(null) && "Write each range as smallest, largest and step above zero") ||
    (method !== "grid" && !WHOLE.test(trials) && "Write how many trials") ||
    (isWalking && !(WHOLE.test(lengths.train) && WHOLE.test(lengths.test)) && "Write the lengths of a window in bars") ||
    "";
  const { send, isSending, failure } = useSending(async () => {
    const body = {
      ...bodyOf(terms),
      version_id: await versionOf(terms.strategy),
      parameters: turned,
      constraints: [],
      method,
      trials: Number(trials),
      seed: 0,
      objective,
      holdout: "0.2",
      walk_forward: isWalking ? { train: Number(lengths.train), test: Number(lengths.test), step: null, is_anchored: false } : null,
    };
    const started = await answered(api.POST("/api/v1/sweeps", { body }));
    await queries.invalidateQueries({ queryKey: [...SWEEPS] });
    onStarted(started.sweep_id);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const free = numbers.filter((one) => !turned.some((known) => known.name === one.name));
  return (
    <Drawer opened onClose={onClose} position="right" size={460} title="New search" transitionProps={{ duration: 0 }} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="drawer-form" onSubmit={submit}>
        <TermsFields
          terms={terms}
          onChange={(next) => {
            change(next);
            if (next.strategy !== terms.strategy) turn([]);
          }}
        />
        <Select
          label="Turn a parameter"
          placeholder={terms.strategy === "" ? "Choose a strategy first" : "Choose one"}
          disabled={free.length === 0}
          data={free.map((one) => ({ value: one.name, label: `${one.name}, now ${one.value}` }))}
          value={null}
          onChange={(name) => {
            const value = numbers.find((one) => one.name === name)?.value ?? "1";
            if (name !== null) turn([...turned, { name, min: value, max: String(Number(value) * 2), step: "1" }]);
          }}
        />
        {turned.map((one, place) => (
          <Range
            key={one.name}
            range={one}
            onChange={(next) => turn(turned.map((known, at) => (at === place ? next : known)))}
            onRemove={() => turn(turned.filter((known) => known !== one))}
          />
        ))}
        <div className="drawer-row">
          <Select label="Method" data={METHODS} value={method} onChange={(next) => choose(next ?? "grid")} />
          {method !== "grid" && <TextInput label="Trials" inputMode="numeric" value={trials} onChange={(event) => write(event.currentTarget.value)} />}
          <Select label="As large as can be" data={OBJECTIVES} value={objective} onChange={(next) => aim(next ?? "sharpe")} />
        </div>
        <Checkbox label="Walk forward: choose in one window, test on the bars after it" checked={isWalking} onChange={(event) => walk(event.currentTarget.checked)} />
        {isWalking && (
          <div className="drawer-row">
            <TextInput label="Choose on, bars" value={lengths.train} onChange={(event) => measure({ ...lengths, train: event.currentTarget.value })} />
            <TextInput label="Test on, bars" value={lengths.test} onChange={(event) => measure({ ...lengths, test: event.currentTarget.value })} />
          </div>
        )}
        <p className="dim">
          The newest fifth of the bars is locked away.
          {method === "grid" && turned.length > 0 && missing === "" && ` ${count(points)} combinations${isWalking ? " in each window" : ""}.`}
        </p>
        <p role="alert" className="danger form-failure">
          {failure}
        </p>
        <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
          Start search
        </Button>
        {missing !== "" && <p className="dim">{missing}.</p>}
      </form>
    </Drawer>
  );
}

interface RangeProps {
  range: Turned;
  onChange: (range: Turned) => void;
  onRemove: () => void;
}

function Range({ range, onChange, onRemove }: RangeProps) {
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
      <legend className="dim">
        {range.name}{" "}
        <ActionIcon variant="subtle" color="gray" size={20} aria-label={`Do not turn ${range.name}`} onClick={onRemove}>
          <X size={12} />
        </ActionIcon>
      </legend>
      <div className="drawer-row" style={{ gridTemplateColumns: "repeat(3, minmax(0, 1fr))" }}>
        {(["min", "max", "step"] as const).map((part) => (
          <TextInput
            key={part}
            label={{ min: "From", max: "To", step: "Step" }[part]}
            inputMode="decimal"
            value={range[part]}
            onChange={(event) => onChange({ ...range, [part]: event.currentTarget.value })}
          />
        ))}
      </div>
    </fieldset>
  );
}
