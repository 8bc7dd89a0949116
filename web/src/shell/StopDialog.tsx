import { Button, Modal, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { KillStateView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { moment } from "../format/times";
import { useAccounts } from "../session/account";
import { useSessionState } from "../session/session";
import { counted, reachOf, stopAll, workingOrders } from "./halting";

const WORD = "STOP";
const LOOK_EVERY_MS = 1000;

/** Asks for the word, stops all trading, and shows what came of it until it is closed. */
export default function StopDialog({ onClose }: { onClose: () => void }) {
  const [done, tell] = useState<KillStateView | null>(null);
  const isDone = useRef(false);
  const [reason, write] = useState("");
  const accounts = useAccounts();
  const found = useSessionState();
  const queries = useQueryClient();
  const session = found.kind === "in" || found.kind === "expired" ? found.session : null;
  const working = useQuery({
    queryKey: ["orders", "working", accounts.data?.map((one) => one.account_id)],
    queryFn: () => workingOrders(accounts.data ?? []),
    enabled: accounts.data !== undefined,
    refetchInterval: LOOK_EVERY_MS,
    staleTime: 0,
  });
  const role = session?.role ?? "";
  const leave = () => {
    if (!isDone.current) onClose();
  };
  if (done !== null) return <Outcome kill={done} working={working.data?.length} onClose={onClose} />;
  return (
    <Confirm
      opened
      title="Stop all trading"
      verb="Stop all trading"
      word={WORD}
      onClose={leave}
      onConfirm={async () => {
        const kill = await stopAll(role, session?.user_id ?? "", reason.trim() || "stopped by hand");
        isDone.current = true;
        tell(kill);
        await queries.invalidateQueries();
      }}
      consequence={
        <div className="confirm">
          <p>{reachOf(role).text}, and strategies stay without fills until somebody releases it on the Risk page.</p>
          <p>
            {working.data === undefined
              ? "Your orders at work are canceled."
              : working.data.length === 0
                ? "None of your orders is at work, so none is canceled."
                : `${counted(working.data.length, "order")} of yours at work will be canceled.`}{" "}
            Positions stay as they are.
          </p>
          <TextInput
            label="Reason, for the record"
            placeholder="stopped by hand"
            maxLength={120}
            value={reason}
            onChange={(event) => write(event.currentTarget.value)}
          />
        </div>
      }
    />
  );
}

function Outcome({ kill, working, onClose }: { kill: KillStateView; working: number | undefined; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Trading is stopped" size={440} closeButtonProps={{ "aria-label": "Close" }}>
      <div className="confirm" role="status">
        <p>
          {kill.scope === "firm" ? "All trading" : "Your trading"} is {kill.state} since {moment(kill.set_at)}: “{kill.reason}”.
        </p>
        <p>
          {working === undefined
            ? "Looking for orders still at work…"
            : working === 0
              ? "None of your orders is at work any more."
              : `${counted(working, "order")} of yours still at work; their venue has been asked to cancel.`}
        </p>
        <div className="confirm-actions">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Modal>
  );
}
