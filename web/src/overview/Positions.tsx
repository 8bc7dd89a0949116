import type { AccountView } from "../api/schema";
import { price, profit, quantity, tone } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { SampleChip } from "../panes/SampleChip";
import { Asked, Empty } from "../panes/states";
import { usePositions } from "./queries";

/** What is held now, in all accounts. */
export function Positions({ accounts, sampleAccount }: { accounts: readonly AccountView[]; sampleAccount: string | undefined }) {
  const positions = usePositions(accounts);
  return (
    <Pane title="Positions" columns={8} isFlush>
      {accounts.length === 0 ? (
        <Empty>No account yet.</Empty>
      ) : (
        <Asked
          query={positions}
          what="Positions"
          isEmpty={(all) => all.length === 0}
          empty={<Empty>Nothing is held in any account.</Empty>}
        >
          {(all) => (
            <table className="table">
              <thead>
                <tr>
                  <th>Symbol</th>
                  <th>Account</th>
                  <th className="num">Quantity</th>
                  <th className="num">Average price</th>
                  <th className="num">Realised</th>
                  <th className="num">Fees</th>
                </tr>
              </thead>
              <tbody>
                {all.map((one) => (
                  <tr key={`${one.account_id} ${one.book_id} ${one.symbol}`}>
                    <td>{one.symbol}</td>
                    <td className="cut">
                      {one.account} {one.account_id === sampleAccount && <SampleChip />}
                    </td>
                    <td className="num">{quantity(one.qty)}</td>
                    <td className="num">{price(one.avg_price)}</td>
                    <td className={`num ${tone(one.realized_pnl)}`}>{profit(one.realized_pnl)}</td>
                    <td className="num">{price(one.fees)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Asked>
      )}
    </Pane>
  );
}
