"""What must be true once a broken platform has healed, asked of the owning services over the API.

The numbers are those of the invariants in docs/chaos.md.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from alphintra.cli.chaos.load import ORDERS_MAX, History, Operation, legs_of, place
from alphintra.cli.client import ApiClient, wait_for
from alphintra.cli.fills import cash_of, signed_qty
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Finding", "account_findings", "broken_history", "killed", "liveness", "settle"]

_PAGE: Final = 1000
_TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "denied", "replaced"})
_MORE: Final = 4  # the last group, and the order after a halt
_HISTORIES_MAX: Final = 300
_SETTLE_S: Final = 90.0
# What risk approved and trading could not store, and denied when it was asked again, stays reserved for a minute.
_LAPSE_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant of one account or of the whole, and what breaks it; nothing if it holds."""

    invariant: str
    what: str
    broken: tuple[str, ...] = ()

    @property
    def is_held(self) -> bool:
        """Whether nothing breaks it."""
        return not self.broken


def settle(api: ApiClient, history: History, accounts: Sequence[str]) -> list[Finding]:
    """Learn what became of every order nobody answered, cancel what works, and wait until all is told.

    The orders are placed again under their ids: each must be answered as the one order it was, or be placed now.
    """
    findings = []
    unresolved = [
        f"{operation.body['client_order_id']}: {operation.code}"
        for operation in history.unknown()
        if not _resolved(api, operation)
    ]
    findings.append(Finding("I13", "every unanswered order is answered when asked again", tuple(unresolved)))
    deadline = time.monotonic() + _SETTLE_S
    late: list[str] = []
    for account_id in accounts:
        working = [order for order in _orders(api, account_id) if order["status"] not in _TERMINAL]
        for order in working:
            wait_for("the cancellation", partial(api.delete, f"/orders/{order['order_id']}"), bool)
    for account_id in accounts:
        while late_here := [o for o in _orders(api, account_id) if o["status"] not in _TERMINAL]:
            if time.monotonic() > deadline:
                late += [f"{order['order_id']} is {order['status']}" for order in late_here]
                break
            time.sleep(0.2)
    findings.append(Finding("I1", "every order has ended", tuple(late)))
    findings.append(_drained(api, deadline))
    return findings


def _resolved(api: ApiClient, operation: Operation) -> bool:
    deadline = time.monotonic() + 30
    while operation.outcome == "unknown" and time.monotonic() < deadline:
        place(api, operation)
        time.sleep(0.05)
    return operation.outcome != "unknown"


def _drained(api: ApiClient, deadline: float) -> Finding:
    """Wait until no service has an event to tell; allow the last of them a moment to be heard."""
    waiting: dict[str, int] = {}
    while time.monotonic() < deadline:
        health = api.get("/health")
        waiting = {each["service"]: each.get("events_waiting", 0) for each in health["services"]}
        if not any(waiting.values()):
            time.sleep(1.0)
            return Finding("I8", "every event was published")
        time.sleep(0.2)
    return Finding("I8", "every event was published", tuple(f"{n} of {s}" for s, n in waiting.items() if n))


def account_findings(api: ApiClient, history: History, account_id: str, *, starting_cash: Decimal) -> list[Finding]:
    """Check one account in the data of trading, broker, risk and notification."""
    orders = _orders(api, account_id)
    executions = api.get(f"/accounts/{account_id}/executions", limit=_PAGE)["executions"]
    venue = api.get(f"/accounts/{account_id}/venue-orders", limit=_PAGE)["orders"]
    own = [each for each in history.operations if each.kind != "cancel" and each.account_id == account_id]
    return [
        _accepted(own, orders),
        _once_at_venue(orders, venue),
        _fills(orders, executions, venue),
        _cash(api, account_id, executions, starting_cash),
        _positions(api, account_id, executions),
        _ledger(api, account_id),
        _reservations(api, account_id, executions),
        _histories(api, orders),
    ]


def killed(api: ApiClient, operator: ApiClient, history: History, account_id: str) -> Finding:
    """Halt one account: from the answer on nothing is taken, and what works comes off the venue."""
    reason = {"scope": "account", "account_id": account_id, "reason": "chaos run"}
    operator.post("/risk/kill", reason | {"state": "halted"})
    broken = []
    body = _small_order(account_id, f"killed-{account_id[:8]}")
    tried = Operation(at_s=history.now_s(), kind="place", account_id=account_id, body=body)
    place(api, tried)
    history.add(tried)
    if (tried.outcome, tried.code) != ("refused", "KILL_ACTIVE"):
        broken.append(f"an order was {tried.outcome} {tried.code}")
    try:
        wait_for(
            "the cancellations",
            lambda: [order for order in _orders(api, account_id) if order["status"] not in _TERMINAL],
            lambda working: not working,
            timeout_s=30,
        )
    except AlphintraError as error:
        broken.append(str(error))
    operator.post("/risk/release", reason)
    return Finding("I7", "a halted account takes nothing, and nothing of it works", tuple(broken))


def _small_order(account_id: str, client_order_id: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "client_order_id": client_order_id,
        "symbol": "AAPL",
        "side": "buy",
        "qty": "1",
        "type": "limit",
        "limit_price": "1",
        "time_in_force": "gtc",
    }


def liveness(api: ApiClient, account_id: str) -> Finding:
    """Place one more order: the healed platform must take it or say why not, and the venue must answer."""
    body = _small_order(account_id, f"alive-{account_id[:8]}")
    try:
        order = api.place(body, key=body["client_order_id"])
        path = f"/orders/{order['order_id']}"
        wait_for("the acknowledgement", lambda: api.get(path), lambda found: found["status"] == "new", timeout_s=30)
        api.delete(path)
        wait_for("the cancellation", lambda: api.get(path), lambda found: found["status"] == "canceled", timeout_s=30)
    except AlphintraError as error:
        return Finding("I13", "the next order works", (str(error),))
    return Finding("I13", "the next order works")


def _orders(api: ApiClient, account_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wait_for(
        "the orders", lambda: api.get("/orders", account_id=account_id, limit=_PAGE)["orders"], lambda _found: True
    )
    if len(found) > ORDERS_MAX + _MORE:
        message = f"{len(found)} orders of one account are more than were placed"
        raise AlphintraError("CHAOS_ORDERS", message)
    return found


def _accepted(own: Iterable[Operation], orders: Sequence[Mapping[str, Any]]) -> Finding:
    """Each order that was answered is there, once, under its id; and there is no other."""
    by_client = Counter(order["client_order_id"] for order in orders)
    ids = {order["client_order_id"]: order["order_id"] for order in orders}
    denied = {order["client_order_id"] for order in orders if order["status"] == "denied"}
    broken = []
    asked = set()
    for each in own:
        name = each.body["client_order_id"]
        legs = legs_of(each.body)
        asked |= {name, *legs}
        there = [leg for leg in legs if leg in ids]
        if len(there) != (len(legs) if name in ids and name not in denied else 0):
            broken.append(f"of the legs of {name} there are {len(there)}")
        if each.outcome == "ok" and ids.get(name) != each.order_id:
            broken.append(f"{name} was answered as {each.order_id} and is {ids.get(name, 'not there')}")
        if each.outcome == "refused" and each.order_id and name not in ids:
            broken.append(f"{name} was refused as order {each.order_id} and is not there")
    broken += [f"{name} is there {count} times" for name, count in by_client.items() if count > 1]
    broken += [f"{name} was never asked for" for name in by_client if name not in asked]
    return Finding("I1", "no answered order is lost, none is doubled", tuple(broken))


def _once_at_venue(orders: Sequence[Mapping[str, Any]], venue: Sequence[Mapping[str, Any]]) -> Finding:
    sent = Counter(order["order_id"] for order in venue)
    broken = [f"{order_id} is at the venue {count} times" for order_id, count in sent.items() if count > 1]
    known = {order["order_id"]: order for order in orders}
    broken += [f"{order_id} is at the venue and nowhere else" for order_id in sent if order_id not in known]
    broken += [
        f"{order_id} was denied and is at the venue"
        for order_id in sent
        if order_id in known and known[order_id]["status"] == "denied"
    ]
    return Finding("I2", "the venue has each order once, and none that risk refused", tuple(broken))


def _fills(
    orders: Sequence[Mapping[str, Any]], executions: Sequence[Mapping[str, Any]], venue: Sequence[Mapping[str, Any]]
) -> Finding:
    booked: dict[str, Decimal] = {}
    broken = []
    seen = Counter(each["execution_id"] for each in executions)
    broken += [f"execution {each} is booked {count} times" for each, count in seen.items() if count > 1]
    for each in executions:
        booked[each["order_id"]] = booked.get(each["order_id"], Decimal(0)) + Decimal(each["qty"])
    at_venue = {each["order_id"]: Decimal(each["filled_qty"]) for each in venue}
    for order in orders:
        order_id, filled = order["order_id"], Decimal(order["filled_qty"])
        amounts = {
            "order": filled,
            "executions": booked.get(order_id, Decimal(0)),
            "venue": at_venue.get(order_id, Decimal(0)),
        }
        if len(set(amounts.values())) > 1:
            broken.append(f"{order_id} filled {', '.join(f'{qty} by {name}' for name, qty in amounts.items())}")
    return Finding("I3", "fills at the venue = executions = orders", tuple(broken))


def _cash(api: ApiClient, account_id: str, executions: Sequence[Mapping[str, Any]], starting_cash: Decimal) -> Finding:
    flow = sum((cash_of(each) for each in executions), starting_cash)
    found = Decimal(api.get(f"/accounts/{account_id}")["cash"])
    broken = () if found == flow else (f"cash is {found}, start and fills make {flow}",)
    return Finding("I4", "cash = start and the sum of fills", broken)


def _positions(api: ApiClient, account_id: str, executions: Sequence[Mapping[str, Any]]) -> Finding:
    held = _held(executions)
    found: dict[str, Decimal] = {}
    for position in api.get(f"/accounts/{account_id}/positions")["positions"]:
        found[position["symbol"]] = found.get(position["symbol"], Decimal(0)) + Decimal(position["qty"])
    broken = [
        f"{symbol}: fills make {held.get(symbol, 0)}, the position is {found.get(symbol, 0)}"
        for symbol in sorted(held.keys() | found.keys())
        if held.get(symbol, Decimal(0)) != found.get(symbol, Decimal(0))
    ]
    return Finding("I3", "positions = sum of fills", tuple(broken))


def _ledger(api: ApiClient, account_id: str) -> Finding:
    total = api.get(f"/accounts/{account_id}/ledger", limit=_PAGE)["total"]
    return Finding("I4", "double entry adds up to zero", () if Decimal(total) == 0 else (f"it adds up to {total}",))


def _reservations(api: ApiClient, account_id: str, executions: Sequence[Mapping[str, Any]]) -> Finding:
    """Nothing works any more: risk holds no reservation, and the exposure is the position."""
    held = _held(executions)

    def differences() -> list[str]:
        state = api.get(f"/accounts/{account_id}/risk")
        known = {each["symbol"]: Decimal(each["position_qty"]) for each in state["exposures"]}
        broken = [
            f"{symbol}: exposure {known.get(symbol, 0)}, position {qty}"
            for symbol, qty in held.items()
            if known.get(symbol, Decimal(0)) != qty
        ]
        return broken + ([f"{state['reserved_cash']} stays reserved"] if Decimal(state["reserved_cash"]) else [])

    try:
        wait_for("risk", differences, lambda found: not found, timeout_s=_LAPSE_S)
    except AlphintraError:
        return Finding("I6", "risk's exposure = positions, nothing stays reserved", tuple(differences()))
    return Finding("I6", "risk's exposure = positions, nothing stays reserved")


def _histories(api: ApiClient, orders: Sequence[Mapping[str, Any]]) -> Finding:
    """What happened to each order, in turn: no gap, nothing after its end but executions, no step back in time."""
    broken = []
    for order in orders[:_HISTORIES_MAX]:
        events = api.get(f"/orders/{order['order_id']}/events")["events"]
        broken += [f"{order['order_id']} {what}" for what in broken_history(events, order["status"])]
    return Finding("I5", "no order leaves its end, no history has a gap or goes back in time", tuple(broken))


def broken_history(events: Sequence[Mapping[str, Any]], status: str) -> list[str]:
    """Return what is wrong with an order's history; I5, I8, I10 and I16."""
    versions = [event["version"] for event in events]
    statuses = [event["status"] for event in events]
    times = [datetime.fromisoformat(event["occurred_at"]) for event in events]
    broken = [] if versions == list(range(1, len(events) + 1)) else [f"has the versions {versions}"]
    ended = next((place for place, each in enumerate(statuses) if each in _TERMINAL), len(statuses))
    if len(set(statuses[ended:])) > 1:
        broken.append(f"went {' > '.join(statuses)}")
    if times != sorted(times):
        broken.append("goes back in time")
    if not statuses or statuses[-1] != status:
        broken.append(f"is {status}, its last event says {statuses[-1] if statuses else 'nothing'}")
    return broken


def _held(executions: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return what the executions make of each symbol."""
    held: dict[str, Decimal] = {}
    for each in executions:
        held[each["symbol"]] = held.get(each["symbol"], Decimal(0)) + signed_qty(each)
    return held
