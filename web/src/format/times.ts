/** Times as they are shown: UTC in ISO, the local one where somebody points. */

import { NOT_APPLICABLE } from "./numbers";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function instantOf(text: string | null | undefined): Date | null {
  if (text == null || text === "") return null;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** `2026-11-22 16:41:03Z`. */
export function moment(text: string | null | undefined): string {
  const at = instantOf(text);
  return at === null ? NOT_APPLICABLE : `${at.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `2026-11-22`, in UTC. */
export function day(text: string | null | undefined): string {
  const at = instantOf(text);
  return at === null ? NOT_APPLICABLE : at.toISOString().slice(0, 10);
}

/** `16:41:03Z`. */
export function clock(at: Date): string {
  return `${at.toISOString().slice(11, 19)}Z`;
}

/** The same instant where the reader is, with the name of their zone. */
export function local(text: string | null | undefined, zone?: string): string {
  const at = instantOf(text);
  if (at === null) return NOT_APPLICABLE;
  const options: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "long", ...(zone === undefined ? {} : { timeZone: zone }) };
  return new Intl.DateTimeFormat("en-GB", options).format(at);
}

/** How long ago, in one unit: `12 s ago`. What is yet to come says `in`. */
export function ago(text: string | null | undefined, now: number): string {
  const at = instantOf(text);
  if (at === null) return NOT_APPLICABLE;
  const past = now - at.getTime();
  return past >= 0 ? `${span(past)} ago` : `in ${span(-past)}`;
}

/** A length of time in one unit, cut and never rounded up. */
export function span(ms: number): string {
  if (ms < SECOND) return `${Math.trunc(ms)} ms`;
  if (ms < MINUTE) return `${Math.trunc(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.trunc(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.trunc(ms / HOUR)} h`;
  return `${Math.trunc(ms / DAY)} days`;
}
