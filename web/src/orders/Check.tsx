import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { OrderBody, OrderCheckView } from "../api/schema";
import { money, price, quantity } from "../format/numbers";
import { reasonOf } from "../forms/useSending";
import { checkOrder } from "./queries";

const SETTLE_MS = 300;
const AGAIN_MS = 5_000;

export interface Checked {
  found: OrderCheckView | undefined;
  failure: string;
  /** Why the order cannot be sent; empty where it can. */
  why: string;
}

/** What risk says of an order while it is written; null asks nothing. Asked again now and then: prices move. */
export function useOrderCheck(body: OrderBody | null): Checked {
  const text = body === null ? "" : JSON.stringify(body);
  const [settled] = useDebouncedValue(text, SETTLE_MS);
  const query = useQuery({
    queryKey: ["order-check", settled],
    enabled: settled !== "" && text !== "",
    queryFn: () => checkOrder(JSON.parse(settled) as OrderBody),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
    gcTime: 0,
    staleTime: 0,
  });
  const isCurrent = text === settled && !query.isPlaceholderData;
  const failure = query.error === null || !isCurrent ? "" : reasonOf(query.error);
  const found = text === "" ? undefined : query.data;
  if (failure !== "") return { found: undefined, failure, why: "It could not be checked." };
  if (!isCurrent || found === undefined) return { found, failure, why: "Risk is being asked." };
  return { found, failure, why: found.findings.length > 0 ? "Risk would refuse it." : "" };
}

interface CheckProps {
  lacks: string;
  checked: Checked;
  currency: string;
  side: "buy" | "sell";
}

/** The answer of risk: what it costs at most, what is free, and which rules stand against it. */
export function Check({ lacks, checked: { found, failure }, currency, side }: CheckProps) {
  return (
    <section className="ticket-check" aria-label="Check by risk" aria-live="polite">
      {lacks !== "" ? (
        <span className="dim">{lacks}</span>
      ) : failure !== "" ? (
        <span className="danger">{failure}</span>
      ) : found === undefined ? (
        <span className="dim">Asking risk</span>
      ) : (
        <>
          {found.findings.length === 0 ? (
            <strong>All controls agree</strong>
          ) : (
            <>
              <strong className="danger">Risk would refuse this</strong>
              <ul>
                {found.findings.map((one) => (
                  <li key={`${one.code}${one.rule}`}>
                    <code>{one.code}</code> {one.detail}
                  </li>
                ))}
              </ul>
            </>
          )}
          <dl className="facts">
            <dt>Worst price</dt>
            <dd>{price(found.price)}</dd>
            <dt>Worth at it, {currency}</dt>
            <dd>{money(found.value)}</dd>
            {side === "buy" && (
              <>
                <dt>Held back until it fills, {currency}</dt>
                <dd>{money(found.cash)}</dd>
              </>
            )}
            <dt>Free cash, {currency}</dt>
            <dd>{money(found.free_cash)}</dd>
            <dt>Position now</dt>
            <dd>{quantity(found.position_qty)}</dd>
          </dl>
        </>
      )}
    </section>
  );
}
