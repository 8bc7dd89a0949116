import {
  type ColumnDef,
  columnVisibilityFeature,
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type ReactNode, useMemo, useRef } from "react";
import { decimal } from "../format/numbers";
import "../panes/pane.css";
import { textOf, useUrlState, useUrlText } from "../shell/urlState";
import { type Column, compareCells, filtered, sums } from "./columns";
import { Head } from "./Head";
import { useKeptColumns } from "./keptColumns";
import { Gap, Rows } from "./Rows";
import { orderOf } from "./sorting";
import "./tables.css";
import { TableTools, Tick } from "./TableTools";
import { useTableKeys } from "./useTableKeys";
import { useWindowed } from "./useWindowed";

export type { Cell, Column } from "./columns";

const features = tableFeatures({ rowSortingFeature, columnVisibilityFeature, sortedRowModel: createSortedRowModel() });
type Features = typeof features;

interface DataTableProps<R> {
  /** What the rows are: "Orders". It names the file, the filter and what is kept of the choice of columns. */
  name: string;
  rows: readonly R[];
  columns: readonly Column<R>[];
  keyOf: (row: R) => string;
  onOpen?: (row: R) => void;
  actions?: (row: R) => ReactNode;
  selected?: ReadonlySet<string>;
  onSelect?: (keys: Set<string>) => void;
  toolbar?: ReactNode;
  empty?: ReactNode;
  /** How the rows are ordered until somebody says otherwise, `-` for the largest first: "-time". */
  order?: string;
}

/** A table people sort, filter, choose columns of, go through by keyboard, select from and take away as a file. */
export function DataTable<R>(props: DataTableProps<R>) {
  const { name, columns, rows, selected, onSelect, actions, onOpen } = props;
  const slug = name.toLowerCase().replace(/\W+/g, "-");
  const [filter, setFilter] = useUrlText(`${slug}.filter`);
  const [sort, setSort] = useUrlState<string>(`${slug}.sort`, props.order ?? "", textOf);
  const [visibility, show] = useKeptColumns(slug, columns);
  const sorted = useSorted(props, { filter, sort, visibility });
  const shown = columns.filter((column) => visibility[column.id] !== false);
  const filterBox = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const rowHeight = document.documentElement.dataset["density"] === "comfortable" ? 36 : 28;
  const { from, to } = useWindowed(box, sorted.length, rowHeight);
  useTableKeys(box, filterBox);

  const keys = sorted.map((row) => row.id);
  const chosen = sorted.filter((row) => selected?.has(row.id));
  const isAll = chosen.length > 0 && chosen.length === keys.length;
  const width = shown.length + (onSelect ? 1 : 0) + (actions ? 1 : 0);
  const toggle = (key: string) => {
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect?.(next);
  };
  return (
    <div className="data-table">
      <TableTools
        name={name}
        filter={filter}
        onFilter={setFilter}
        filterBox={filterBox}
        columns={columns}
        isShown={(id) => visibility[id] !== false}
        onShow={show}
        taken={() => sorted.map((row) => row.original)}
        facts={filter === "" ? `${rows.length}` : `${sorted.length} of ${rows.length}`}
      >
        {props.toolbar}
      </TableTools>
      <div className="table-box" ref={box} tabIndex={0} role="group" aria-label={`${name}, scrolls`}>
        <table className="table" aria-label={name} aria-rowcount={sorted.length + 1}>
          <thead>
            <tr>
              {onSelect && (
                <th className="table-tick">
                  <Tick
                    label={`Select all ${name.toLowerCase()} shown`}
                    checked={isAll}
                    isSome={chosen.length > 0 && !isAll}
                    onChange={() => onSelect(new Set(isAll ? [] : keys))}
                  />
                </th>
              )}
              {shown.map((column) => (
                <Head key={column.id} column={column} sort={sort} onSort={setSort} />
              ))}
              {actions && (
                <th>
                  <span className="hidden">What can be done</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {from > 0 && <Gap rows={from} height={rowHeight} width={width} />}
            <Rows
              rows={sorted.slice(from, to)}
              from={from}
              columns={shown}
              onOpen={onOpen}
              actions={actions}
              selected={selected}
              onToggle={onSelect && toggle}
            />
            {to < sorted.length && <Gap rows={sorted.length - to} height={rowHeight} width={width} />}
          </tbody>
        </table>
        {sorted.length === 0 && (
          <div className="state">{rows.length === 0 ? (props.empty ?? `No ${name.toLowerCase()} yet.`) : "No row has these words."}</div>
        )}
      </div>
      {chosen.length > 0 && <Sums rows={chosen.map((row) => row.original)} columns={columns} />}
    </div>
  );
}

interface Arranged {
  filter: string;
  sort: string;
  visibility: Record<string, boolean>;
}

/** The rows as they are shown: those the filter leaves, in order; what has no value comes last either way. */
function useSorted<R>({ rows, columns, keyOf }: DataTableProps<R>, { filter, sort, visibility }: Arranged) {
  const data = useMemo(() => filtered(rows, columns, filter), [rows, columns, filter]);
  const sorting = useMemo(() => orderOf(sort).filter(({ id }) => columns.some((column) => column.id === id)), [sort, columns]);
  const definitions = useMemo(() => columns.map((column) => definitionOf(column)), [columns]);
  const table = useTable<Features, R & object>({
    features,
    columns: definitions as ColumnDef<Features, R & object>[],
    data: data as readonly (R & object)[],
    getRowId: keyOf,
    state: { sorting, columnVisibility: visibility },
  });
  return table.getRowModel().rows;
}

function definitionOf<R>(column: Column<R>) {
  return {
    id: column.id,
    accessorFn: (row: R) => column.value(row) ?? undefined,
    sortUndefined: "last" as const,
    sortFn: (a: { getValue: (id: string) => unknown }, b: { getValue: (id: string) => unknown }, id: string) =>
      compareCells(a.getValue(id) as string | number, b.getValue(id) as string | number),
  };
}

function Sums<R>({ rows, columns }: { rows: readonly R[]; columns: readonly Column<R>[] }) {
  return (
    <p className="table-sums" role="status">
      <span>{rows.length} selected</span>
      {sums(rows, columns).map(([column, sum]) => (
        <span key={column.id}>
          <span className="dim">{column.head}</span> {decimal(sum)}
        </span>
      ))}
    </p>
  );
}
