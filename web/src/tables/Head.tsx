import { ArrowDown, ArrowUp } from "lucide-react";
import type { Column } from "./columns";
import { nextOrder, orderOf } from "./sorting";

interface HeadProps<R> {
  column: Column<R>;
  sort: string;
  onSort: (next: string) => void;
}

/** The head of a column: a click orders by it. */
export function Head<R>({ column, sort, onSort }: HeadProps<R>) {
  const [order] = orderOf(sort);
  const isOrdered = order?.id === column.id;
  const Arrow = order?.desc === true ? ArrowDown : ArrowUp;
  return (
    <th className={column.isNumeric ? "num" : ""} aria-sort={!isOrdered ? "none" : order.desc ? "descending" : "ascending"}>
      <button
        type="button"
        className="table-head"
        onClick={() => onSort(nextOrder(sort, column.id, column.isNumeric === true))}
      >
        {column.head}
        {isOrdered && <Arrow size={12} aria-hidden />}
      </button>
    </th>
  );
}
