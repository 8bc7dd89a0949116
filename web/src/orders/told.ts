/** Orders that the stream tells of while a list is being read: the answer may be from before them. */

import type { OrderView } from "../api/schema";
import { patched, type Tab } from "./patch";

const logs = new Set<OrderView[]>();

export function hear(order: OrderView): void {
  for (const log of logs) log.push(order);
}

/** The list as it was read, with what was told of the account's orders meanwhile. */
export async function readWithTold(
  read: () => Promise<readonly OrderView[]>,
  accountId: string | undefined,
  tab: Tab,
): Promise<readonly OrderView[]> {
  const log: OrderView[] = [];
  logs.add(log);
  try {
    const orders = await read();
    return log.reduce((all, one) => (one.account_id === accountId ? patched(all, one, tab) : all), orders);
  } finally {
    logs.delete(log);
  }
}
