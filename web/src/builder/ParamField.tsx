import { Select, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Param, ParamValue } from "./graph";
import { readParam, writtenParam } from "./params";

interface ParamFieldProps {
  param: Param;
  value: ParamValue | undefined;
  isReadOnly: boolean;
  onChange: (value: ParamValue | undefined) => void;
  onSettle: () => void;
}

/** One parameter as its node describes it: what it means, what it may be, and its default where nothing is said. */
export function ParamField({ param, value, isReadOnly, onChange, onSettle }: ParamFieldProps) {
  const [typed, type] = useState(writtenParam(value));
  const [objection, object] = useState("");
  useEffect(() => {
    const given = readParam(param, typed);
    if (!given.isRight || given.value !== value) {
      type(writtenParam(value));
      object("");
    }
    // only a value that came from elsewhere (undo, another node) replaces what is being typed
  }, [value]);
  const missing = param.is_required && value === undefined ? `Needed: ${param.allowed}.` : "";
  const about = { label: param.name, description: param.summary, error: objection || missing || null, disabled: isReadOnly };

  if (param.kind === "choice" || param.kind === "flag") {
    const choices = param.kind === "flag" ? ["true", "false"] : [...param.choices];
    return (
      <Select
        {...about}
        data={choices}
        placeholder={param.default === null ? "Choose" : `${String(param.default)} (default)`}
        value={value === undefined ? null : String(value)}
        clearable={param.default !== null}
        onChange={(chosen) => {
          onChange(chosen === null ? undefined : param.kind === "flag" ? chosen === "true" : chosen);
          onSettle();
        }}
      />
    );
  }
  const isNumber = param.kind !== "text" && param.kind !== "symbol";
  return (
    <TextInput
      {...about}
      inputMode={param.kind === "int" ? "numeric" : isNumber ? "decimal" : "text"}
      placeholder={param.default === null ? param.allowed : param.default === "" ? "" : `${String(param.default)} (default)`}
      classNames={isNumber || param.name === "formula" ? { input: "mono" } : {}}
      {...(isNumber ? { rightSection: <AllowedHint text={param.allowed} /> } : {})}
      value={typed}
      onChange={(event) => {
        const text = event.currentTarget.value;
        type(text);
        const given = readParam(param, text);
        object(given.isRight ? "" : `Give ${param.allowed}.`);
        if (given.isRight) onChange(given.value);
      }}
      onBlur={onSettle}
    />
  );
}

function AllowedHint({ text }: { text: string }) {
  return (
    <span className="allowed" title={`Allowed: ${text}`}>
      {text.replace(/^(above )?(-?[\d.]+) to (-?[\d.]+)$/, (_all, above: string | undefined, low: string, high: string) => `${above === undefined ? "" : ">"}${short(low)}\u2013${short(high)}`)}
    </span>
  );
}

function short(number: string): string {
  const value = Number(number);
  return Math.abs(value) >= 10_000 ? value.toExponential(0).replace("e+", "e") : number;
}
