import type { AccessCellView } from "../api/schema";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Empty } from "../panes/states";
import { MARKS } from "./reach";

/** One service at the data of one: its role and rights there, and the last attempt in the server's own words. */
export function AccessCell({ cell, at }: { cell: AccessCellView | undefined; at: string | null }) {
  if (cell === undefined) {
    return (
      <Pane title="Last attempt" columns={4}>
        <Empty>Choose a cell to see the role, its rights and what the server said.</Empty>
      </Pane>
    );
  }
  const { word, tone } = MARKS[cell.reach];
  return (
    <Pane title={`${cell.user} at the data of ${cell.target}`} columns={4}>
      <div className="access-detail">
        <p className={`access-word is-${tone}`}>{word}</p>
        <dl className="facts">
          <dt>Role</dt>
          <dd className="mono">{cell.role}</dd>
          <dt>Database</dt>
          <dd className="mono">
            {cell.database} on {cell.instance}
          </dd>
          <dt>Last attempt</dt>
          <dd>{cell.tries.length === 0 ? "none in this place" : moment(at)}</dd>
        </dl>
        {cell.tries.map((one) => (
          <div key={one.name} className="access-try">
            <p>
              <code>{one.name}</code> <span className={one.outcome === "allowed" && !one.is_declared ? "danger" : "dim"}>{one.outcome}</span>
              {one.code !== "" && <span className="dim"> · SQLSTATE {one.code}</span>}
            </p>
            <blockquote>{one.answer}</blockquote>
          </div>
        ))}
        <h3>Rights in the catalogue</h3>
        {cell.tries.length === 0 ? (
          <p className="dim">They are read with a probe.</p>
        ) : cell.grants.length === 0 ? (
          <p className="dim">None.</p>
        ) : (
          <ul className="statements">
            {cell.grants.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </div>
    </Pane>
  );
}
