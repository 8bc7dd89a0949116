import { Modal } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { placesOf } from "./navigation";

const KEYS: readonly [string, string][] = [
  ["Ctrl K", "Search pages, strategies, symbols, orders and actions"],
  ["Ctrl Shift .", "Stop all trading (asks for the word)"],
  ["?", "This list"],
  ["/", "Filter the table"],
  ["j  k", "Next row, previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["Esc", "Close, or leave the row"],
];

/** The keys there are. */
export default function KeyList({ onClose }: { onClose: () => void }) {
  const { routesByPath } = useRouter();
  const places = placesOf(routesByPath).flatMap((group) => group.places.filter(({ key }) => key !== undefined));
  return (
    <Modal opened onClose={onClose} title="Keys" size={460} closeButtonProps={{ "aria-label": "Close" }}>
      <dl className="facts keys">
        {[...KEYS, ...places.map(({ key, label }): [string, string] => [`g  ${key}`, label])].map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split("  ").map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
