/** What is said of venues: their names, what a key needs, and what their states mean. */

import type { ConnectionCheckView, ConnectionView } from "../api/schema";

export const STATUS: Record<string, { label: string; tone: "" | "warn" | "danger" | "dim"; effect: string }> = {
  pending: { label: "No key yet", tone: "dim", effect: "Orders are refused." },
  reconciling: { label: "Reconciling", tone: "warn", effect: "Venue and books are compared; only orders that reduce pass." },
  open: { label: "Open", tone: "", effect: "Compared, nothing in the way." },
  degraded: { label: "Degraded", tone: "danger", effect: "The venue does not answer; orders wait, attempts go on." },
  expired: { label: "Key refused", tone: "danger", effect: "The venue refuses the key: add a new one." },
  closed: { label: "Closed", tone: "dim", effect: "For good; the key is deleted." },
};

const NAMES: Record<string, string> = { paper: "Paper venue", alpaca: "Alpaca", ccxt: "Exchange" };

/** The name of a connection's venue. */
export function venueOf(connection: Pick<ConnectionView, "adapter" | "exchange">): string {
  if (connection.exchange !== "") return connection.exchange.charAt(0).toUpperCase() + connection.exchange.slice(1);
  return NAMES[connection.adapter] ?? (connection.adapter === "" ? "No venue yet" : connection.adapter);
}

/** What each venue calls a key; the last ones may stay empty. */
export const CREDENTIALS: Record<string, readonly { name: string; label: string; isSecret: boolean; isOptional?: boolean }[]> = {
  alpaca: [
    { name: "key_id", label: "Key id", isSecret: false },
    { name: "secret_key", label: "Secret key", isSecret: true },
  ],
  ccxt: [
    { name: "key_id", label: "Key id", isSecret: false },
    { name: "secret_key", label: "Secret key", isSecret: true },
    { name: "passphrase", label: "Passphrase, where the exchange has one", isSecret: true, isOptional: true },
    { name: "uid", label: "User id, where the exchange has one", isSecret: false, isOptional: true },
    { name: "quote", label: "Currency of the account there, USD unless said", isSecret: false, isOptional: true },
  ],
};

/** Credentials without what was left empty. */
export function given(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text.trim()]).filter(([, text]) => text !== ""));
}

/** What is missing of a key before it can be sent; empty where nothing is. */
export function lacking(adapter: string, fields: Readonly<Record<string, string>>): string {
  const missing = (CREDENTIALS[adapter] ?? []).find((one) => one.isOptional !== true && (fields[one.name] ?? "").trim() === "");
  return missing === undefined ? "" : `${missing.label} first`;
}

/** What a venue tells of a key; what it does not tell is said to be untold. A key that may withdraw never gets here. */
export function rightsText(check: Pick<ConnectionCheckView, "may_trade" | "may_withdraw"> | undefined): string {
  const trading = check?.may_trade == null ? "" : check.may_trade ? "trading allowed" : "trading not allowed";
  const taking = check?.may_withdraw === false ? "withdrawing not allowed, says the venue" : "whether it may withdraw the venue does not tell: make a key without that right";
  return [trading, taking].filter(Boolean).join("; ");
}

/** How far a clock is ahead, in words; a venue dates its answers by whole seconds. */
export function skewText(skewMs: number | null | undefined): string {
  if (skewMs == null) return "not told";
  if (skewMs === 0) return "within 1 s";
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  return skewMs > 0 ? `venue ${seconds} s ahead` : `venue ${seconds} s behind`;
}
