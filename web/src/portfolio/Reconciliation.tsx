import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import type { AccountView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { When } from "../orders/columns";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { DataTable } from "../tables/DataTable";
import { BREAK_COLUMNS } from "./columns";
import { reconcile, useBreaks, useConnection } from "./queries";

/** How the account stands with its venue, and what differs between the two. */
export function Reconciliation({ account, why }: { account: AccountView; why: string }) {
  const isLive = account.mode === "live";
  const connection = useConnection(account.account_id);
  const breaks = useBreaks(account.account_id, isLive);
  const queries = useQueryClient();
  const { send, isSending, failure } = useSending(async () => {
    await reconcile(account.account_id);
    await queries.invalidateQueries({ queryKey: ["venue", account.account_id] });
  });
  const whyNot = isLive ? why : "A paper account trades at the platform's own venue: there is nothing to compare.";
  const button = (
    <Button variant="default" loading={isSending} disabled={whyNot !== ""} title={whyNot} onClick={() => void send()}>
      Reconcile now
    </Button>
  );
  return (
    <Pane title="Reconciliation" actions={button}>
      <Asked query={connection} what="The connection" height={80}>
        {(found) => (
          <dl className="facts">
            <dt>Venue</dt>
            <dd>{[found.adapter || "none yet", found.exchange, found.environment].filter(Boolean).join(" · ")}</dd>
            <dt>State</dt>
            <dd>
              {found.status}
              {found.reason ? `: ${found.reason}` : ""}
            </dd>
            <dt>Since</dt>
            <dd>
              <When at={found.changed_at ?? found.opened_at} />
            </dd>
            {isLive && (
              <>
                <dt>Last compared</dt>
                <dd>{found.reconciled_at == null ? "not yet" : <When at={found.reconciled_at} />}</dd>
              </>
            )}
          </dl>
        )}
      </Asked>
      <p role="alert" className="danger">
        {failure}
      </p>
      {isLive && (
        <Asked query={breaks} what="The differences" height={80}>
          {(found) => (
            <DataTable name="Differences" rows={found} columns={BREAK_COLUMNS} keyOf={(one) => one.break_id} empty={<Empty>Nothing differs.</Empty>} />
          )}
        </Asked>
      )}
    </Pane>
  );
}
