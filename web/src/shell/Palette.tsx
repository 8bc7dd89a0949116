import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { type KeyboardEvent, useMemo, useState } from "react";
import { answered, api } from "../api/client";
import { moment } from "../format/times";
import { kindOf, useAccount, useAccounts } from "../session/account";
import { signOut } from "../session/signing";
import { open } from "./commands";
import { type Found, fitting } from "./finding";
import { placesOf } from "./navigation";

const ORDERS_MAX = 50;
const LIST = "palette-list";

/** Finds pages, strategies, symbols, orders and actions by a few letters. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [query, ask] = useState("");
  const [at, point] = useState(0);
  const things = useThings();
  const found = useMemo(() => fitting(things, query), [things, query]);
  const chosen = found[Math.min(at, found.length - 1)];
  const run = (thing: Found) => {
    onClose();
    thing.run();
  };
  const hear = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") point((at + 1) % Math.max(found.length, 1));
    else if (event.key === "ArrowUp") point((at - 1 + found.length) % Math.max(found.length, 1));
    else if (event.key === "Enter" && chosen !== undefined) run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} size={560} padding={0} yOffset="12vh" centered={false} title={null} aria-label="Search">
      <input
        className="palette-box"
        role="combobox"
        aria-label="Search pages, strategies, symbols, orders and actions"
        aria-expanded
        aria-controls={LIST}
        aria-activedescendant={chosen === undefined ? undefined : `palette-${found.indexOf(chosen)}`}
        placeholder="Pages, strategies, symbols, orders, actions"
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        value={query}
        onChange={(event) => {
          ask(event.currentTarget.value);
          point(0);
        }}
        onKeyDown={hear}
      />
      <div id={LIST} role="listbox" aria-label="Found" className="palette-list">
        {found.map((thing, index) => (
          <div
            key={`${thing.group} ${thing.label} ${thing.hint ?? ""}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={thing === chosen}
            ref={(element) => {
              if (thing === chosen) element?.scrollIntoView({ block: "nearest" });
            }}
            onClick={() => run(thing)}
            onMouseMove={() => point(index)}
          >
            <span>{thing.label}</span>
            <span className="palette-hint">{thing.hint ?? thing.group}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="state">Nothing is called that.</p>}
    </Modal>
  );
}

function useThings(): Found[] {
  const navigate = useNavigate();
  const { routesByPath } = useRouter();
  const { account, choose } = useAccount();
  const accounts = useAccounts();
  const workflows = useQuery({ queryKey: ["workflows"], queryFn: () => answered(api.GET("/api/v1/workflows")) });
  const datasets = useQuery({ queryKey: ["datasets"], queryFn: () => answered(api.GET("/api/v1/datasets")) });
  const orders = useQuery({
    queryKey: ["orders", "found", account?.account_id],
    queryFn: () =>
      answered(api.GET("/api/v1/orders", { params: { query: { account_id: account?.account_id ?? "", limit: ORDERS_MAX } } })),
    enabled: account !== undefined,
  });
  return useMemo(() => {
    const go = (to: string, search: Record<string, string> = {}) => () => void navigate({ to, search } as never);
    const pages = placesOf(routesByPath).flatMap((group) => group.places);
    const has = (to: string) => to in routesByPath;
    const others = (accounts.data ?? []).filter((one) => one !== account);
    return [
      ...pages.map((place): Found => ({ group: "Page", label: place.label, run: go(place.to) })),
      { group: "Action", label: "Stop all trading", words: "kill halt", run: () => open("stop") },
      { group: "Action", label: "Show the keys", run: () => open("keys") },
      ...others.map(
        (one): Found => ({ group: "Account", label: `Look at ${one.name}`, hint: kindOf(one), run: () => choose(one.account_id) }),
      ),
      ...(has("/strategies/$id")
        ? (workflows.data?.workflows ?? []).map(
            (one): Found => ({ group: "Strategy", label: one.name, run: go(`/strategies/${one.workflow_id}`) }),
          )
        : []),
      ...(has("/markets")
        ? (datasets.data?.datasets ?? []).map(
            (one): Found => ({ group: "Symbol", label: one.symbol, hint: `Symbol, ${one.timeframe}`, run: go("/markets", { symbol: one.symbol }) }),
          )
        : []),
      ...(has("/orders")
        ? (orders.data?.orders ?? []).map(
            (one): Found => ({
              group: "Order",
              label: `${one.side === "buy" ? "Buy" : "Sell"} ${one.qty ?? one.notional ?? ""} ${one.symbol}`,
              words: `${one.client_order_id} ${one.order_id}`,
              hint: `${one.status}, ${moment(one.created_at)}`,
              run: go("/orders", { order: one.order_id }),
            }),
          )
        : []),
      {
        group: "Action",
        label: "Sign out",
        run: () => void signOut().then(() => navigate({ to: "/login", search: { next: "/" } })),
      },
    ];
  }, [navigate, routesByPath, account, accounts.data, choose, workflows.data, datasets.data, orders.data]);
}
