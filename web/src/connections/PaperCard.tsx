import type { AccountView, ConnectionView } from "../api/schema";
import { decimal } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { useFeeds } from "./queries";

/** A paper account: its feed of prices and its costs. */
export function PaperCard({ connection, account }: { connection: ConnectionView; account: AccountView | undefined }) {
  const feeds = useFeeds();
  const feed = feeds.data?.find((one) => one.feed_id === connection.feed_id);
  const paper = connection.paper;
  return (
    <Pane title={account?.name ?? connection.account_id.slice(-6)} columns={4} facts={<span className="kind">PAPER</span>}>
      <dl className="card-facts">
        <dt>Venue</dt>
        <dd>inside the platform, no key, no money</dd>
        <dt>State</dt>
        <dd>{connection.status}</dd>
        <dt>Prices</dt>
        <dd>{feed === undefined ? (connection.feed_id?.slice(-6) ?? "no feed") : `${feed.name} (${feed.status})`}</dd>
        {paper !== null && (
          <>
            <dt>Costs</dt>
            <dd>
              {paper.preset}: slippage {decimal(paper.slippage_bps)} bp, commission {decimal(paper.commission_bps)} bp, {decimal(paper.fee_per_share)} a unit, at least {decimal(paper.fee_minimum)}
            </dd>
            <dt>Left out</dt>
            <dd title={paper.not_modelled.join(" ")}>{paper.not_modelled.length} things, first: {paper.not_modelled[0]}</dd>
          </>
        )}
      </dl>
    </Pane>
  );
}
