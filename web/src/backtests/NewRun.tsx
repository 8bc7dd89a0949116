import { Button, Drawer, Select, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { useSending } from "../forms/useSending";
import { parametersOf } from "./graph";
import { entered } from "./queries";
import { bodyOf, INTRABARS, type Intrabar, missingOf, USUAL } from "./terms";
import { TermsFields, useChosen, useVersion } from "./TermsFields";

/** What is to be run: strategy, bars, costs, and numbers of the strategy to be other than they are stored. */
export function NewRun({ strategy, onClose }: { strategy: string; onClose: () => void }) {
  const [terms, change] = useState({ ...USUAL, strategy });
  const [intrabar, meet] = useState<Intrabar>("chronological");
  const [changed, put] = useState<Record<string, string>>({});
  const numbers = parametersOf(useChosen(terms.strategy)).filter((one) => one.isNumber);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const versionOf = useVersion();
  const { send, isSending, failure } = useSending(async () => {
    const given = numbers.filter((one) => changed[one.name] !== undefined && changed[one.name] !== one.value);
    const parameters = Object.fromEntries(given.map((one) => [one.name, changed[one.name] ?? ""]));
    const body = { ...bodyOf(terms), version_id: await versionOf(terms.strategy), parameters, intrabar };
    const started = entered(queries, await answered(api.POST("/api/v1/backtests", { body })));
    await navigate({ to: "/backtests/$backtestId", params: { backtestId: started.backtest_id } } as never);
  });
  const missing = missingOf(terms);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  return (
    <Drawer opened onClose={onClose} position="right" size={460} title="New backtest" transitionProps={{ duration: 0 }} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="drawer-form" onSubmit={submit}>
        <TermsFields
          terms={terms}
          onChange={(next) => {
            change(next);
            if (next.strategy !== terms.strategy) put({});
          }}
        />
        <Select label="Stops and targets within a bar" size="xs" allowDeselect={false} data={INTRABARS} value={intrabar} onChange={(mode) => meet(mode ?? "chronological")} />
        {numbers.length > 0 && (
          <fieldset className="drawer-form" style={{ border: 0, padding: 0, margin: 0 }}>
            <legend className="dim">Parameters; the stored version stays as it is</legend>
            <div className="drawer-row">
              {numbers.map((one) => (
                <TextInput
                  key={one.name}
                  label={one.name}
                  inputMode="decimal"
                  value={changed[one.name] ?? one.value}
                  onChange={(event) => put({ ...changed, [one.name]: event.currentTarget.value })}
                />
              ))}
            </div>
          </fieldset>
        )}
        <p role="alert" className="danger form-failure">
          {failure}
        </p>
        <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
          Run backtest
        </Button>
        {missing !== "" && <p className="dim">{missing}.</p>}
      </form>
    </Drawer>
  );
}
