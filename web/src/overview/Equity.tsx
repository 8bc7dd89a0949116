import { useMemo } from "react";
import type { AccountView } from "../api/schema";
import type { PaneSpec } from "../charts/layers";
import { rangeOf } from "../charts/layers";
import { TimeChart } from "../charts/TimeChart";
import { money } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { Empty, Failed, Loading } from "../panes/states";
import { useUrlText } from "../shell/urlState";
import { useHistories } from "./queries";
import { courseOf } from "./worth";

const HEIGHT = 260;

/** What all accounts were worth together, by the day. */
export function Equity({ accounts, currency }: { accounts: readonly AccountView[]; currency: string }) {
  const [range, choose] = useUrlText("range", "All");
  const histories = useHistories(accounts);
  const failed = histories.find((one) => one.error !== null);
  const found = histories.flatMap((one) => (one.data === undefined ? [] : [one.data]));
  const stamp = histories.map((one) => one.dataUpdatedAt).join();
  const course = useMemo(() => courseOf(found), [stamp]);
  const panes = useMemo(() => panesOf(course.points), [course]);
  const isLoading = histories.some((one) => one.isPending);
  return (
    <Pane title="Equity" columns={8} facts={`${currency}, ${course.accounts} of ${accounts.length} ${accounts.length === 1 ? "account" : "accounts"} (those whose prices are of one time)`}>
      {failed !== undefined && <Failed what="Equity could not be read" error={failed.error} at={failed.errorUpdatedAt} onRetry={() => void failed.refetch()} />}
      {isLoading && course.points.length === 0 ? (
        <Loading height={HEIGHT} />
      ) : course.points.length < 2 ? (
        <Empty>A course is drawn from the second day on.</Empty>
      ) : (
        <TimeChart name="Equity of all accounts" panes={panes} height={HEIGHT} range={rangeOf(range)} onRange={choose} />
      )}
    </Pane>
  );
}

function panesOf(points: readonly { at: number; value: number }[]): PaneSpec[] {
  return [
    {
      id: "equity",
      share: 1,
      layers: [{ id: "equity", label: "Equity", kind: "area", ink: "accent", points, write: (value) => money(value.toFixed(2)) }],
    },
  ];
}
