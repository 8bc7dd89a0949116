import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, useMemo, useState } from "react";
import type { AccountView, PositionView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { compareDecimals, isDecimal } from "../format/decimals";
import { quantity } from "../format/numbers";
import { newOrderId } from "../orders/ticket";
import { closePosition } from "./queries";

interface ClosePositionProps {
  account: AccountView;
  position: PositionView;
  isWhole: boolean;
  onClose: () => void;
}

/** Bring a position to zero, or a part of the way, by market orders that only reduce. */
export function ClosePosition({ account, position, isWhole, onClose }: ClosePositionProps) {
  const [qty, write] = useState("");
  const key = useMemo(newOrderId, [qty]);
  const size = position.qty.replace(/^-/, "");
  const typed = qty.trim();
  const isAmount = isDecimal(typed) && compareDecimals(typed, "0") === 1 && compareDecimals(typed, size) !== 1;
  const why = isWhole || isAmount ? "" : `Name a number above zero and at most ${quantity(size)}.`;
  const { send, isSending, failure } = useSending(async () => {
    const { orders } = await closePosition(account.account_id, position.symbol, isWhole ? null : typed, key);
    const refused = orders.find((one) => one.status === "denied");
    if (refused !== undefined) throw new Error(`Risk refused it: ${refused.reason} (${refused.reason_code})`);
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (why === "" && (await send())) onClose();
  };
  const verb = isWhole ? "Close position" : "Reduce position";
  return (
    <Modal opened onClose={onClose} title={`${isWhole ? "Close" : "Reduce"} ${position.symbol}`} size={400} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="ticket" onSubmit={(event) => void submit(event)}>
        <p>
          {isWhole
            ? `Market orders for all of ${position.symbol} that ${account.name} holds, in every book. They only reduce, and fill at the next price there is.`
            : `A market order for a part of ${quantity(position.qty)} ${position.symbol}. It only reduces, and fills at the next price there is.`}
        </p>
        {!isWhole && (
          <TextInput label="How many" inputMode="decimal" autoComplete="off" data-autofocus value={qty} onChange={(event) => write(event.currentTarget.value)} />
        )}
        <p role="alert" className="danger form-failure">
          {failure}
        </p>
        <div className="ticket-foot">
          <Button variant="default" onClick={onClose}>
            Back
          </Button>
          <Button type="submit" loading={isSending} disabled={why !== ""} title={why}>
            {verb}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
