/** What an order told by the stream does to lists of orders that were read: pure. */

import type { OrderView } from "../api/schema";
import { isWorking } from "./states";

export type Tab = "working" | "all";

/** The list with the order as it is now: the newest first, each once, none made older by a late word. */
export function patched(orders: readonly OrderView[], order: OrderView, tab: Tab): readonly OrderView[] {
  const place = orders.findIndex((one) => one.order_id === order.order_id);
  const known = orders[place];
  if (known !== undefined && known.version >= order.version) return orders;
  const belongs = tab === "all" || isWorking(order.status);
  if (known === undefined) return belongs ? [order, ...orders] : orders;
  return belongs ? orders.map((one, at) => (at === place ? { ...order, legs: one.legs } : one)) : orders.filter((_one, at) => at !== place);
}
