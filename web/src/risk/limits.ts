/** Limits as they are edited: every one a text, empty for what is not set; and what a change of them lets pass. */

import type { ControlsBody, LimitsBody, LimitsView } from "../api/schema";
import { compareDecimals } from "../format/decimals";
import { decimal } from "../format/numbers";

export type Fields = Record<string, string>;

const FIRST = ["order_qty_max", "order_notional_max", "position_qty_max", "may_short"] as const;
const WHOLE = new Set([
  "price_drift_window_s", "price_age_max_s", "message_burst", "cancel_reserve", "open_orders_max", "repeat_max",
  "repeat_window_s", "duplicate_window_s", "order_to_trade_window_s",
]); // prettier-ignore
const YES_NO = new Set(["may_short", "is_self_match_refused", "is_session_enforced"]);
/** Shares at which is warned: they let nothing pass and refuse nothing. */
const WARNINGS = new Set(["exposure_warn_pct", "message_warn_pct", "loss_warn_pct", "drawdown_warn_pct"]);
/** The larger (or yes) these are, the less passes. */
const NARROWING = new Set([
  "cancel_reserve", "price_drift_window_s", "repeat_window_s", "duplicate_window_s", "fee_bps", "fee_per_unit",
  "fee_minimum", "is_self_match_refused", "is_session_enforced",
]); // prettier-ignore

export function isYesNo(name: string): boolean {
  return YES_NO.has(name);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(" ");
  if (typeof value === "object") return Object.entries(value).map(([book, hash]) => (hash === "" ? book : `${book}=${String(hash)}`)).join(" ");
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** A limit set as texts. */
export function fieldsOf(limits: LimitsView): Fields {
  const fields: Fields = {};
  for (const name of FIRST) fields[name] = textOf(limits[name]);
  for (const [name, value] of Object.entries(limits.controls)) fields[name] = textOf(value);
  return fields;
}

function wordsOf(text: string): string[] | null {
  const words = text.split(/[\s,]+/).filter(Boolean);
  return words.length === 0 ? null : words;
}

function valueOf(name: string, text: string): unknown {
  const trimmed = text.trim();
  if (YES_NO.has(name)) return trimmed === "yes";
  if (name === "symbols_allowed") return wordsOf(trimmed);
  if (name === "strategies_allowed") {
    const words = wordsOf(trimmed);
    return words === null ? null : Object.fromEntries(words.map((word) => [word.split("=")[0] ?? "", word.split("=")[1] ?? ""]));
  }
  if (trimmed === "") return null;
  return WHOLE.has(name) && /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** The whole limit set to send; what is empty and has no null of its own is as it is by default. */
export function bodyOf(fields: Fields, version: number, reason: string): LimitsBody {
  const controls: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(fields)) {
    if ((FIRST as readonly string[]).includes(name)) continue;
    const value = valueOf(name, text);
    if (value !== null || !(WHOLE.has(name) && /window_s$|^cancel_reserve$/.test(name) && name !== "duplicate_window_s")) controls[name] = value;
  }
  return {
    order_qty_max: fields["order_qty_max"]?.trim() ?? "",
    order_notional_max: fields["order_notional_max"]?.trim() ?? "",
    position_qty_max: fields["position_qty_max"]?.trim() ?? "",
    may_short: fields["may_short"] === "yes",
    controls: controls as unknown as ControlsBody,
    base_version: version,
    reason: reason.trim(),
  };
}

export interface Change {
  name: string;
  before: string;
  after: string;
  isLooser: boolean;
}

/** What differs, and which of it lets more pass than before. */
export function changesOf(before: Fields, after: Fields): Change[] {
  return Object.keys(after)
    .filter((name) => !isSame(before[name] ?? "", after[name] ?? ""))
    .map((name) => ({
      name,
      before: before[name] ?? "",
      after: (after[name] ?? "").trim(),
      isLooser: isLooser(name, before[name] ?? "", (after[name] ?? "").trim()),
    }));
}

function isSame(before: string, after: string): boolean {
  return before === after.trim() || compareDecimals(before, after.trim()) === 0;
}

function isLooser(name: string, before: string, after: string): boolean {
  if (WARNINGS.has(name)) return false;
  if (YES_NO.has(name)) return NARROWING.has(name) ? after === "no" : after === "yes";
  if (after === "" || before === "") return after === "";
  if (name === "symbols_allowed" || name === "strategies_allowed") {
    const kept = new Set(wordsOf(before));
    return (wordsOf(after) ?? []).some((word) => !kept.has(word));
  }
  const order = compareDecimals(after, before) ?? 0;
  return NARROWING.has(name) ? order < 0 : order > 0;
}

/** A limit's value for people. */
export function shown(name: string, text: string): string {
  if (text === "") return "not set";
  return YES_NO.has(name) || name.endsWith("_allowed") ? text : decimal(text);
}

/** A limit's name in words: `order_qty_max` is "Order qty max". */
export function inWords(name: string): string {
  const words = name.replace(/^is_/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How full a bar is, in hundredths, for drawing alone. */
export function fullness(used: string, most: string): number {
  const share = Number(used) / Number(most);
  return Number.isFinite(share) ? Math.max(0, Math.min(100, share * 100)) : 0;
}

export type BarTone = "ok" | "warn" | "danger";

/** Danger from the limit on, a warning from the share on that raises an alert. */
export function toneOf(used: string, most: string, warnPct: string): BarTone {
  if ((compareDecimals(used, most) ?? -1) >= 0) return "danger";
  return Number(used) / Number(most) >= Number(warnPct) / 100 ? "warn" : "ok";
}
