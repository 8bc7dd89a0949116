import { CloseButton } from "@mantine/core";
import type { OrderView } from "../api/schema";
import { Pane } from "../panes/Pane";
import { Failed, Loading } from "../panes/states";
import { Status, When } from "./columns";
import { useDecisions, useOrderEvents, useVenueOrder } from "./queries";
import { stations } from "./timeline";

interface TimelineProps {
  order: OrderView;
  strategy: string;
  onClose: () => void;
}

/** What became of one order: intent, risk, sent, acknowledged, fills. */
export function Timeline({ order, strategy, onClose }: TimelineProps) {
  const events = useOrderEvents(order.order_id);
  const decisions = useDecisions(order.order_id);
  const venueId = useVenueOrder(order.account_id, order.order_id).data?.venue_order_id;
  const facts = (
    <>
      {order.side} {order.symbol} · <Status status={order.status} /> · <code>{order.order_id}</code>
      {venueId != null && venueId !== "" && (
        <>
          {" "}
          · at the venue <code>{venueId}</code>
        </>
      )}
    </>
  );
  return (
    <Pane title="Order timeline" facts={facts} actions={<CloseButton size={28} aria-label="Close the timeline" onClick={onClose} />}>
      {events.data === undefined ? (
        events.error === null ? (
          <Loading height={140} />
        ) : (
          <Failed what="What happened could not be read" error={events.error} onRetry={() => void events.refetch()} />
        )
      ) : (
        <ol className="timeline">
          {stations(order, strategy, decisions.data ?? [], events.data).map((one) => (
            <li key={one.key} className={one.isRefused ? "is-refused" : ""}>
              <When at={one.at} />
              <strong>{one.name}</strong>
              <span>
                {one.code !== "" && <code>{one.code}</code>} {one.text}
              </span>
            </li>
          ))}
        </ol>
      )}
      {decisions.error !== null && <Failed what="Risk's decision could not be read" error={decisions.error} />}
    </Pane>
  );
}
