/** What is written on a ticket, and the order it makes: pure. */

import type { OrderBody } from "../api/schema";
import { compareDecimals, isDecimal } from "../format/decimals";

export const TYPES = ["market", "limit", "stop", "stop_limit", "trailing_stop"] as const;
export const TIMES = ["day", "gtc", "ioc", "fok", "opg", "cls"] as const;

export interface Ticket {
  symbol: string;
  side: "buy" | "sell";
  type: (typeof TYPES)[number];
  time: (typeof TIMES)[number];
  qty: string;
  limit: string;
  stop: string;
  trail: string;
  reduceOnly: boolean;
}

export const BLANK: Ticket = {
  symbol: "",
  side: "buy",
  type: "limit",
  time: "day",
  qty: "",
  limit: "",
  stop: "",
  trail: "",
  reduceOnly: false,
};

export function asksLimit({ type }: Pick<Ticket, "type">): boolean {
  return type === "limit" || type === "stop_limit";
}

export function asksStop({ type }: Pick<Ticket, "type">): boolean {
  return type === "stop" || type === "stop_limit";
}

export function asksTrail({ type }: Pick<Ticket, "type">): boolean {
  return type === "trailing_stop";
}

function isAmount(text: string): boolean {
  return isDecimal(text.trim()) && compareDecimals(text.trim(), "0") === 1;
}

/** What a ticket still lacks; empty where it can be checked. */
export function lacking(ticket: Ticket): string {
  if (ticket.symbol.trim() === "") return "Name a symbol.";
  if (!isAmount(ticket.qty)) return "Say how many, as a number above zero.";
  if (asksStop(ticket) && !isAmount(ticket.stop)) return "Name the stop price.";
  if (asksLimit(ticket) && !isAmount(ticket.limit)) return "Name the limit price.";
  if (asksTrail(ticket) && !isAmount(ticket.trail)) return "Name the trail in percent.";
  return "";
}

/** The order a complete ticket makes; what its type does not ask for is left out, whatever was typed there. */
export function bodyOf(ticket: Ticket, accountId: string, clientOrderId: string): OrderBody {
  return {
    account_id: accountId,
    client_order_id: clientOrderId,
    symbol: ticket.symbol.trim(),
    side: ticket.side,
    type: ticket.type,
    time_in_force: ticket.time,
    qty: ticket.qty.trim(),
    notional: null,
    limit_price: asksLimit(ticket) ? ticket.limit.trim() : null,
    stop_price: asksStop(ticket) ? ticket.stop.trim() : null,
    trail_price: null,
    trail_percent: asksTrail(ticket) ? ticket.trail.trim() : null,
    expire_at: null,
    extended_hours: false,
    reduce_only: ticket.reduceOnly,
    position_intent: null,
    order_class: "simple",
    take_profit: null,
    stop_loss: null,
  };
}

/** An id by which a repetition of the same order is recognised. */
export function newOrderId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `web-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
