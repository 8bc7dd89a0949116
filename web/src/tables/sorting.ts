/** The order of a table as a text for the address: the column, with `-` before it for the largest first. */

interface ColumnOrder {
  id: string;
  desc: boolean;
}

export function orderOf(sort: string): ColumnOrder[] {
  if (sort === "") return [];
  return sort.startsWith("-") ? [{ id: sort.slice(1), desc: true }] : [{ id: sort, desc: false }];
}

/** What a click on a head makes of it: numbers begin with the largest, words with the first; the third click ends it. */
export function nextOrder(sort: string, id: string, isNumeric: boolean): string {
  const [up, down] = [id, `-${id}`];
  const [first, second] = isNumeric ? [down, up] : [up, down];
  if (sort === first) return second;
  return sort === second ? "" : first;
}
