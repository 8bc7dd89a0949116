import { percent, ratio } from "../format/numbers";
import { day } from "../format/times";
import { Pane } from "../panes/Pane";
import { pointText, type SweepResultData } from "./sweep";

/** What each window chose, and how that did on the bars it was chosen on beside those that followed. */
export function WalkForward({ result }: { result: SweepResultData }) {
  const { windows = [], stitched } = result;
  const facts = stitched && `joined: Sharpe ${ratio(stitched.sharpe)}, t ${ratio(stitched.t)}, ${percent(stitched.profitable, { digits: 0 })} of the windows gained`;
  return (
    <Pane title="In and out of sample" isFlush facts={facts}>
      <table className="table">
        <thead>
          <tr>
            <th className="num">Window</th>
            <th>Tested from</th>
            <th>Chosen</th>
            <th className="num">Sharpe in sample</th>
            <th className="num">Sharpe out of sample</th>
            <th className="num">Return out of sample</th>
          </tr>
        </thead>
        <tbody>
          {windows.map((window) => (
            <tr key={window.number}>
              <td className="num">{window.number}</td>
              <td>{day(window.test[0])}</td>
              <td>{pointText(window.parameters)}</td>
              <td className="num">{ratio(window.in_sample["sharpe"])}</td>
              <td className="num">{ratio(window.out_of_sample["sharpe"])}</td>
              <td className="num">{percent(window.out_of_sample["total_return"], { isSigned: true })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Pane>
  );
}
