import { type Change, inWords, shown } from "./limits";

/** What a change of limits changes; what lets more pass is marked. */
export function Diff({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return <p className="dim">Nothing differs.</p>;
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Limit</th>
          <th className="num">Before</th>
          <th className="num">After</th>
          <th>Effect</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((one) => (
          <tr key={one.name}>
            <td>{inWords(one.name)}</td>
            <td className="num">{shown(one.name, one.before)}</td>
            <td className="num">{shown(one.name, one.after)}</td>
            <td className={one.isLooser ? "warn" : ""}>{one.isLooser ? "lets more pass" : "as narrow or narrower"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
