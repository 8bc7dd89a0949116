import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, useMemo, useState } from "react";
import type { OrderView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { quantity } from "../format/numbers";
import { newOrderId } from "./ticket";
import { replaceOrder } from "./queries";

interface AmendProps {
  order: OrderView;
  onClose: () => void;
}

/** Change quantity and prices of a working order: a new order takes its place once the venue agrees. */
export function Amend({ order, onClose }: AmendProps) {
  const [qty, setQty] = useState(order.qty ?? "");
  const [limit, setLimit] = useState(order.limit_price ?? "");
  const [stop, setStop] = useState(order.stop_price ?? "");
  const key = useMemo(newOrderId, [qty, limit, stop]); // another change is another order
  const changed = (now: string, before: string | null | undefined) => (now.trim() === (before ?? "") ? null : now.trim());
  const body = { qty: changed(qty, order.qty), limit_price: changed(limit, order.limit_price), stop_price: changed(stop, order.stop_price) };
  const isSame = Object.values(body).every((one) => one === null);
  const { send, isSending, failure } = useSending(() =>
    replaceOrder(order.order_id, {
      ...body,
      client_order_id: key,
      trail_price: null,
      trail_percent: null,
      time_in_force: null,
      expire_at: null,
    }),
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await send()) onClose();
  };
  return (
    <Modal opened onClose={onClose} title={`Change the order for ${order.symbol}`} size={380} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="ticket" onSubmit={(event) => void submit(event)}>
        {order.qty !== null && (
          <TextInput
            label="Quantity of the whole"
            description={`${quantity(order.filled_qty)} of it is filled`}
            inputMode="decimal"
            data-autofocus
            value={qty}
            onChange={(event) => setQty(event.currentTarget.value)}
          />
        )}
        {order.limit_price !== null && (
          <TextInput label="Limit price" inputMode="decimal" value={limit} onChange={(event) => setLimit(event.currentTarget.value)} />
        )}
        {order.stop_price != null && (
          <TextInput label="Stop price" inputMode="decimal" value={stop} onChange={(event) => setStop(event.currentTarget.value)} />
        )}
        <p className="dim">A new order takes the place of this one once risk and the venue agree; until then this one works on.</p>
        <p role="alert" className="danger form-failure">
          {failure}
        </p>
        <div className="ticket-foot">
          <Button variant="default" onClick={onClose}>
            Back
          </Button>
          <Button type="submit" loading={isSending} disabled={isSame} title={isSame ? "Nothing is different yet" : ""}>
            Change order
          </Button>
        </div>
      </form>
    </Modal>
  );
}
