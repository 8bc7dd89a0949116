/** Parameters as people type them. What is allowed stands in the description of the node; the server has the last word. */

import type { Exposure, Param, ParamValue } from "./graph";

const DECIMAL = /^-?\d{1,18}(\.\d{1,18})?$/;

export type Read = { isRight: true; value: ParamValue | undefined } | { isRight: false };

export function writtenParam(value: ParamValue | undefined): string {
  return value === undefined ? "" : String(value);
}

/** What was typed as a value of the parameter; nothing typed is its default. Decimals stay text. */
export function readParam(param: Param, typed: string): Read {
  const text = typed.trim();
  if (param.kind === "text") return { isRight: true, value: typed === "" ? undefined : typed };
  if (text === "") return { isRight: true, value: undefined };
  if (param.kind === "symbol") return { isRight: true, value: text.toUpperCase() };
  if (!DECIMAL.test(text) || (param.kind === "int" && !/^-?\d+$/.test(text)) || !isWithin(param, text)) return { isRight: false };
  return { isRight: true, value: param.kind === "decimal" ? text : Number(text) };
}

function isWithin(param: Param, text: string): boolean {
  const value = Number(text);
  if (param.minimum !== null && (value < Number(param.minimum) || (param.is_minimum_open && value === Number(param.minimum)))) return false;
  return param.maximum === null || value <= Number(param.maximum);
}

export function isSearchable(param: Param): boolean {
  return param.kind === "int" || param.kind === "number" || param.kind === "decimal";
}

/** A range around a value that a search may begin with: half to double, in ten steps. */
export function rangeAround(param: Param, value: ParamValue): Exposure {
  const middle = Number(value);
  const isWhole = param.kind === "int";
  const low = Math.max(Number(param.minimum ?? 0), isWhole ? Math.floor(middle / 2) : middle / 2);
  const high = Math.min(Number(param.maximum ?? middle * 2), middle * 2);
  const step = isWhole ? Math.max(1, Math.round((high - low) / 10)) : Number(((high - low) / 10).toPrecision(2));
  const lowest = param.is_minimum_open && low === Number(param.minimum) ? step : low;
  const written = (number: number) => (param.kind === "decimal" ? plain(number) : isWhole ? Math.round(number) : Number(plain(number)));
  // the steps begin at the low end and have to meet the value of the graph
  const begin = middle - Math.floor((middle - lowest) / step) * step;
  return { min: written(begin), max: written(begin + Math.floor((high - begin) / step) * step), step: written(step) };
}

function plain(number: number): string {
  return number.toFixed(6).replace(/\.?0+$/, "");
}
