import { ActionIcon, Menu } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { CircleAlert, OctagonAlert, X } from "lucide-react";
import { ago, moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import type { Item } from "./attention";
import type { useAttention } from "./queries";

const HOUR_MS = 3_600_000;
const SHOWN_MAX = 12;

/** What wants to be looked at; each leads to the row it is about, and can be put aside. */
export function AttentionPane({ attention }: { attention: ReturnType<typeof useAttention> }) {
  const { told, items, put } = attention;
  return (
    <Pane title="Attention" columns={4} facts={items.length === 0 ? undefined : String(items.length)} isFlush>
      <Asked query={told} what="What wants attention">
        {() =>
          items.length === 0 ? (
            <Empty>Nothing wants your attention: no open alert, no refused order since yesterday, all feeds well.</Empty>
          ) : (
            <ul className="attention">
              {items.slice(0, SHOWN_MAX).map((one) => (
                <Row key={one.key} item={one} onAside={(until) => put.mutate({ key: one.key, until })} />
              ))}
              {items.length > SHOWN_MAX && <li className="dim">and {items.length - SHOWN_MAX} more</li>}
            </ul>
          )
        }
      </Asked>
    </Pane>
  );
}

function Row({ item, onAside }: { item: Item; onAside: (until: number) => void }) {
  const Icon = item.severity === "danger" ? OctagonAlert : CircleAlert;
  return (
    <li>
      <Icon size={16} className={item.severity} aria-label={item.severity === "danger" ? "Grave" : "Warning"} />
      <span className="attention-text">
        <Link to={item.to} search={item.search as never}>
          {item.title}
        </Link>
        <span className="dim" title={item.detail}>
          {item.detail}
        </span>
      </span>
      {item.at !== null && (
        <time className="dim" dateTime={item.at} title={moment(item.at)}>
          {ago(item.at, Date.now())}
        </time>
      )}
      <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Put aside: ${item.title}`}>
            <X size={14} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => onAside(Date.now() + HOUR_MS)}>Snooze for an hour</Menu.Item>
          <Menu.Item onClick={() => onAside(Date.now() + 24 * HOUR_MS)}>Snooze for a day</Menu.Item>
          <Menu.Item onClick={() => onAside(0)}>Dismiss</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}
