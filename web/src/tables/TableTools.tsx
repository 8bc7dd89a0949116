import { ActionIcon, Checkbox, Menu, TextInput } from "@mantine/core";
import { Columns3, Download, Search } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { type Column, csv } from "./columns";

interface TableToolsProps<R> {
  name: string;
  filter: string;
  onFilter: (next: string) => void;
  filterBox: RefObject<HTMLInputElement | null>;
  columns: readonly Column<R>[];
  isShown: (id: string) => boolean;
  onShow: (id: string, isShown: boolean) => void;
  /** What the file has: the rows as they are ordered, and the columns that are shown. */
  taken: () => readonly R[];
  facts: string;
  children?: ReactNode;
}

/** What stands over a table: filter, what its page adds, how many rows, choice of columns, CSV. */
export function TableTools<R>({ name, filter, onFilter, filterBox, columns, isShown, onShow, taken, facts, children }: TableToolsProps<R>) {
  return (
    <div className="table-tools" role="group" aria-label={`${name}: tools`}>
      <TextInput
        ref={filterBox}
        className="table-filter"
        aria-label={`Filter ${name}`}
        placeholder="Filter  /"
        leftSection={<Search size={14} aria-hidden />}
        value={filter}
        onChange={(event) => onFilter(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          onFilter("");
          event.currentTarget.blur();
        }}
      />
      {children}
      <span className="table-right">
        <span className="dim">{facts}</span>
        <Menu position="bottom-end" closeOnItemClick={false} transitionProps={{ duration: 0 }}>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size={28} aria-label={`Columns of ${name}`} title="Columns">
              <Columns3 size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>Columns</Menu.Label>
            {columns.map((column) => (
              <Menu.CheckboxItem
                key={column.id}
                checked={isShown(column.id)}
                onChange={(checked) => onShow(column.id, checked)}
              >
                {column.head}
              </Menu.CheckboxItem>
            ))}
          </Menu.Dropdown>
        </Menu>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={28}
          aria-label={`${name} as CSV`}
          title="Save as CSV"
          onClick={() => save(`${name}.csv`, csv(taken(), columns.filter((column) => isShown(column.id))))}
        >
          <Download size={16} />
        </ActionIcon>
      </span>
    </div>
  );
}

/** Hand a text, or what a picture is made of, to the person as a file. */
export function save(name: string, content: BlobPart, type = "text/csv;charset=utf-8"): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

interface TickProps {
  label: string;
  checked: boolean;
  isSome?: boolean;
  onChange: () => void;
}

export function Tick({ label, checked, isSome = false, onChange }: TickProps) {
  return <Checkbox size="xs" aria-label={label} checked={checked} indeterminate={isSome} onChange={onChange} />;
}
