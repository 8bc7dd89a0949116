import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { WatchedPriceView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { price } from "../format/numbers";
import { ago, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useMissing } from "../session/needs";
import { of, renew, useWatched } from "./queries";

/** The prices a connection asks its venue for. */
export function Prices({ accountId, name }: { accountId: string; name: string }) {
  const prices = useWatched(accountId);
  return (
    <Pane title="Prices of the venue" isFlush columns={5} facts={name}>
      <Asked query={prices} what="Prices">
        {(found) => (
          <>
            <Watch accountId={accountId} prices={found} />
            {found.length === 0 ? <Empty>No symbol is watched: orders on live accounts at Alpaca need a price of their symbol.</Empty> : <Table prices={found} />}
          </>
        )}
      </Asked>
    </Pane>
  );
}

function Watch({ accountId, prices }: { accountId: string; prices: readonly WatchedPriceView[] }) {
  const [symbols, write] = useState(prices.map((one) => one.symbol).join(" "));
  const missing = useMissing("trade");
  const { send, isSending, failure } = useSending(async () => {
    const body = { symbols: symbols.toUpperCase().split(/[\s,]+/).filter(Boolean) };
    await answered(api.PUT("/api/v1/accounts/{account_id}/connection/prices", { ...of(accountId), body }));
    await renew();
  });
  return (
    <form
      className="table-tools"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <TextInput aria-label="Watched symbols" placeholder="AAPL BTC/USD" value={symbols} onChange={(event) => write(event.currentTarget.value)} />
      <Button type="submit" variant="default" loading={isSending} disabled={missing !== ""} title={missing}>
        Watch these
      </Button>
      <span role="alert" className="danger">
        {failure}
      </span>
    </form>
  );
}

function Table({ prices }: { prices: readonly WatchedPriceView[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Symbol</th>
          <th className="num">Price</th>
          <th className="num">Bid</th>
          <th className="num">Ask</th>
          <th>As of</th>
        </tr>
      </thead>
      <tbody>
        {prices.map((one) => (
          <tr key={one.symbol}>
            <td>{one.symbol}</td>
            <td className="num">{price(one.price)}</td>
            <td className="num">{price(one.bid)}</td>
            <td className="num">{price(one.ask)}</td>
            <td className={one.is_stalled ? "warn" : ""} title={moment(one.priced_at)}>
              {one.priced_at === null ? "none yet" : `${ago(one.priced_at, Date.now())}${one.is_stalled ? ", stalled" : ""}`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
