import type { ReactNode } from "react";
import { NOT_APPLICABLE } from "../format/numbers";
import type { Column } from "./columns";
import { Tick } from "./TableTools";

interface RowsProps<R> {
  rows: readonly { id: string; original: R }[];
  /** The place of the first of these among all. */
  from: number;
  columns: readonly Column<R>[];
  onOpen?: ((row: R) => void) | undefined;
  actions?: ((row: R) => ReactNode) | undefined;
  selected?: ReadonlySet<string> | undefined;
  onToggle?: ((key: string) => void) | undefined;
}

/** What is clicked in a row for itself does not open the row. */
function isOwn(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a, button, input, label, [role=dialog], [role=menu]") !== null;
}

export function Rows<R>({ rows, from, columns, onOpen, actions, selected, onToggle }: RowsProps<R>) {
  return rows.map(({ id, original }, index) => (
    <tr
      key={id}
      data-row={id}
      data-selected={selected?.has(id) || undefined}
      tabIndex={-1}
      aria-rowindex={from + index + 2}
      className={onOpen === undefined ? "" : "is-opened"}
      onClick={(event) => {
        if (!isOwn(event.target)) onOpen?.(original);
      }}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget) return;
        if (event.key === "Enter") onOpen?.(original);
        if (event.key === "x") onToggle?.(id);
      }}
    >
      {onToggle && (
        <td className="table-tick">
          <Tick label={`Select ${String(columns[0]?.value(original) ?? id)}`} checked={selected?.has(id) ?? false} onChange={() => onToggle(id)} />
        </td>
      )}
      {columns.map((column) => (
        <td key={column.id} className={column.isNumeric ? "num" : ""}>
          {column.cell ? column.cell(original) : (column.value(original) ?? NOT_APPLICABLE)}
        </td>
      ))}
      {actions && <td className="table-actions">{actions(original)}</td>}
    </tr>
  ));
}

/** The room of rows that are not drawn. */
export function Gap({ rows, height, width }: { rows: number; height: number; width: number }) {
  return (
    <tr aria-hidden style={{ height: rows * height }}>
      <td colSpan={width} />
    </tr>
  );
}
