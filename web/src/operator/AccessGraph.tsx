import type { AccessCellView, AccessView } from "../api/schema";
import { cellKey, MARKS, servicesOf } from "./reach";

const ROW = 34;
const TOP = 30;
const LEFT = 170;
const RIGHT = 490;
const WIDTH = 660;
const SHOWN = new Set(["own", "shared", "reachable", "unproven"]);

interface GraphProps {
  access: AccessView;
  chosen: string;
  onChoose: (key: string) => void;
}

/** The same as lines: what gets through is drawn, what is denied is what is not there. */
export function AccessGraph({ access, chosen, onChoose }: GraphProps) {
  const services = servicesOf(access);
  const place = (service: string) => TOP + services.indexOf(service) * ROW;
  const lines = access.cells.filter((cell) => SHOWN.has(cell.reach));
  const denied = access.cells.filter((cell) => cell.reach === "denied").length;
  return (
    <figure className="access-graph">
      <svg viewBox={`0 0 ${WIDTH} ${TOP + services.length * ROW}`} role="group" aria-label="Access graph">
        <text x={LEFT} y={12} textAnchor="end" className="access-graph-head">
          Service
        </text>
        <text x={RIGHT} y={12} className="access-graph-head">
          Database
        </text>
        {lines.map((cell) => (
          <Line key={cellKey(cell)} cell={cell} from={place(cell.user)} to={place(cell.target)} isChosen={cellKey(cell) === chosen} onChoose={onChoose} />
        ))}
        {services.map((service) => (
          <g key={service}>
            <circle cx={LEFT + 14} cy={place(service)} r={4} className="access-node" />
            <text x={LEFT} y={place(service)} dy="0.35em" textAnchor="end">
              {service}
            </text>
            <circle cx={RIGHT - 14} cy={place(service)} r={4} className="access-node" />
            <text x={RIGHT} y={place(service)} dy="0.35em">
              {access.cells.find((cell) => cell.target === service)?.database ?? service}
            </text>
          </g>
        ))}
      </svg>
      <figcaption>
        {denied} of {access.cells.length} pairs were tried and denied; they have no line.
      </figcaption>
    </figure>
  );
}

interface LineProps {
  cell: AccessCellView;
  from: number;
  to: number;
  isChosen: boolean;
  onChoose: (key: string) => void;
}

function Line({ cell, from, to, isChosen, onChoose }: LineProps) {
  const { word, tone } = MARKS[cell.reach];
  const choose = () => onChoose(isChosen ? "" : cellKey(cell));
  return (
    <g
      role="button"
      tabIndex={0}
      aria-pressed={isChosen}
      aria-label={`${cell.user} at the data of ${cell.target}: ${word}`}
      className={`access-line is-${tone}`}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose();
      }}
    >
      <path d={`M${LEFT + 18} ${from} C${(LEFT + RIGHT) / 2} ${from} ${(LEFT + RIGHT) / 2} ${to} ${RIGHT - 18} ${to}`} className="access-line-hit" />
      <path d={`M${LEFT + 18} ${from} C${(LEFT + RIGHT) / 2} ${from} ${(LEFT + RIGHT) / 2} ${to} ${RIGHT - 18} ${to}`} />
    </g>
  );
}
