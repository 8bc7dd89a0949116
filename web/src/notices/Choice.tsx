import { NativeSelect } from "@mantine/core";

interface ChoiceProps {
  label: string;
  of: readonly (readonly [string, string])[];
  value: string;
  onChange: (next: string) => void;
  isLabelled?: boolean;
  disabled?: boolean;
}

/** One of a few, by the browser's own list. */
export function Choice({ label, of, value, onChange, isLabelled = false, disabled = false }: ChoiceProps) {
  return (
    <NativeSelect
      size="xs"
      {...(isLabelled ? { label } : { "aria-label": label })}
      data={of.map(([one, text]) => ({ value: one, label: text }))}
      value={value}
      disabled={disabled}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
