import { Button, Checkbox, Drawer, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { AccountView, OrderView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { kindOf } from "../session/account";
import { Quote } from "../stream/Quote";
import { Check, useOrderCheck } from "./Check";
import { ordersKey, submitOrder } from "./queries";
import { asksLimit, asksStop, asksTrail, BLANK, bodyOf, lacking, newOrderId, type Ticket, TIMES, TYPES } from "./ticket";
import { queries } from "../api/queries";

interface TicketDrawerProps {
  account: AccountView;
  start?: Partial<Ticket> | undefined;
  onClose: () => void;
  onSent: (order: OrderView) => void;
}

/** An order by hand: checked by risk while it is written, sent when it is said so, never shown before it is known. */
export function TicketDrawer({ account, start, onClose, onSent }: TicketDrawerProps) {
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={380}
      title={`New order · ${account.name} · ${kindOf(account)}`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <TicketForm account={account} start={start} onClose={onClose} onSent={onSent} />
    </Drawer>
  );
}

function useSymbols(feedId: string | null): readonly string[] {
  const feed = useQuery({
    queryKey: ["feed", feedId],
    enabled: feedId !== null,
    queryFn: () => answered(api.GET("/api/v1/feeds/{feed_id}", { params: { path: { feed_id: feedId ?? "" } } })),
  });
  return feed.data?.symbols ?? [];
}

function TicketForm({ account, start, onClose, onSent }: TicketDrawerProps) {
  const [ticket, write] = useState<Ticket>({ ...BLANK, ...start });
  const [key, renew] = useState(newOrderId);
  const symbols = useSymbols(account.mode === "paper" ? account.feed_id : null);
  const lacks = lacking(ticket);
  const checked = useOrderCheck(lacks === "" ? bodyOf(ticket, account.account_id, "check") : null);
  const { send, isSending, failure } = useSending(async () => {
    const order = await submitOrder(bodyOf(ticket, account.account_id, key));
    void queries.invalidateQueries({ queryKey: ordersKey(account.account_id) });
    onSent(order);
  });
  const set = (more: Partial<Ticket>) => {
    write((old) => ({ ...old, ...more }));
    renew(newOrderId()); // another order: the id of the one before stands for that one alone
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await send()) onClose();
  };
  const why = lacks !== "" ? lacks : checked.why;
  return (
    <form className="ticket" onSubmit={(event) => void submit(event)}>
      {symbols.length > 0 ? (
        <NativeSelect
          label="Symbol"
          data={[{ value: "", label: "Choose" }, ...symbols]}
          value={ticket.symbol}
          onChange={(event) => set({ symbol: event.currentTarget.value })}
        />
      ) : (
        <TextInput
          label="Symbol"
          autoComplete="off"
          spellCheck={false}
          value={ticket.symbol}
          onChange={(event) => set({ symbol: event.currentTarget.value.toUpperCase() })}
        />
      )}
      {ticket.symbol !== "" && (
        <p className="dim">
          Newest price: <Quote key={ticket.symbol} symbol={ticket.symbol} feedId={account.feed_id} />
        </p>
      )}
      <SegmentedControl
        aria-label="Side"
        fullWidth
        data={[
          { value: "buy", label: "▲ Buy" },
          { value: "sell", label: "▼ Sell" },
        ]}
        value={ticket.side}
        onChange={(side) => set({ side: side as Ticket["side"] })}
      />
      <div className="ticket-pair">
        <NativeSelect
          label="Type"
          data={TYPES.map((value) => ({ value, label: value.replaceAll("_", " ") }))}
          value={ticket.type}
          onChange={(event) => set({ type: event.currentTarget.value as Ticket["type"] })}
        />
        <NativeSelect
          label="Time in force"
          data={TIMES.map((value) => ({ value, label: value }))}
          value={ticket.time}
          onChange={(event) => set({ time: event.currentTarget.value as Ticket["time"] })}
        />
      </div>
      <div className="ticket-pair">
        <Amount label="Quantity" value={ticket.qty} onChange={(qty) => set({ qty })} />
        {asksLimit(ticket) && <Amount label="Limit price" value={ticket.limit} onChange={(limit) => set({ limit })} />}
        {asksStop(ticket) && <Amount label="Stop price" value={ticket.stop} onChange={(stop) => set({ stop })} />}
        {asksTrail(ticket) && <Amount label="Trail, %" value={ticket.trail} onChange={(trail) => set({ trail })} />}
      </div>
      <Checkbox
        label="Only reduce the position"
        checked={ticket.reduceOnly}
        onChange={(event) => set({ reduceOnly: event.currentTarget.checked })}
      />
      <Check lacks={lacks} checked={checked} currency={account.currency} side={ticket.side} />
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="ticket-foot">
        <Button variant="default" onClick={onClose}>
          Back
        </Button>
        <Button type="submit" loading={isSending} disabled={why !== ""} title={why}>
          {account.mode === "live" ? "Send to the venue" : "Send order"}
        </Button>
      </div>
    </form>
  );
}

interface AmountProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

function Amount({ label, value, onChange }: AmountProps) {
  return (
    <TextInput label={label} inputMode="decimal" autoComplete="off" value={value} onChange={(event) => onChange(event.currentTarget.value)} />
  );
}
