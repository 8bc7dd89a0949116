import type { AccessCellView, AccessView } from "../api/schema";
import { cellKey, MARKS, servicesOf } from "./reach";

interface MapProps {
  access: AccessView;
  chosen: string;
  onChoose: (key: string) => void;
}

/** Rows are services, columns are the databases with their data. */
export function AccessMap({ access, chosen, onChoose }: MapProps) {
  const services = servicesOf(access);
  const cells = new Map(access.cells.map((cell) => [cellKey(cell), cell]));
  const home = (target: string) => cells.get(cellKey({ user: target, target }));
  return (
    <table className="access-map" aria-label="Access map">
      <thead>
        <tr>
          <th scope="col">Service \ data of</th>
          {services.map((target) => (
            <th key={target} scope="col" title={`${home(target)?.database ?? ""} on ${home(target)?.instance ?? ""}`}>
              {target}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {services.map((user) => (
          <tr key={user}>
            <th scope="row">{user}</th>
            {services.map((target) => {
              const cell = cells.get(cellKey({ user, target }));
              return <td key={target}>{cell && <CellButton cell={cell} isChosen={cellKey(cell) === chosen} onChoose={onChoose} />}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CellButton({ cell, isChosen, onChoose }: { cell: AccessCellView; isChosen: boolean; onChoose: (key: string) => void }) {
  const { mark, word, tone } = MARKS[cell.reach];
  return (
    <button
      type="button"
      className={`access-cell is-${tone}`}
      aria-label={`${cell.user} at the data of ${cell.target}: ${word}`}
      aria-pressed={isChosen}
      onClick={() => onChoose(isChosen ? "" : cellKey(cell))}
    >
      {mark}
    </button>
  );
}
