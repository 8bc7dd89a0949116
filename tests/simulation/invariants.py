"""What must hold in the databases once a world has healed; numbered as in docs/chaos.md."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from alphintra.contracts.trading import SubmitOrder
from alphintra.engine.portfolio import cash_delta
from alphintra.kernel.vocabulary import TERMINAL, Side
from simulation.differences import as_booked, live_books, overfilled, overfills_untold
from simulation.drawing import legs_of
from simulation.groups import groups_and_replacements
from simulation.records import records_broken
from simulation.story import STARTING_CASH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from uuid import UUID

    from fixtures.postgres import ServiceDatabase
    from simulation.story import Story

__all__ = ["broken"]

_WORKING: Final = frozenset({"sending", "working", "held"})


async def broken(story: Story) -> list[str]:
    """Return every breach of an invariant; none in a sound world."""
    found: list[str] = []
    async with (
        _query(story.world.databases["trading"]) as trading,
        _query(story.world.databases["risk"]) as risk,
        _query(story.world.databases["broker"]) as broker,
    ):
        orders = await trading("select * from orders where account_id = any($1)", story.accounts)
        executions = await trading("select * from executions where account_id = any($1)", story.accounts)
        events = await trading(
            "select e.* from order_events e join orders o using (order_id) where o.account_id = any($1) "
            "order by e.order_id, e.version",
            story.accounts,
        )
        venue = await broker("select * from venue_orders where account_id = any($1)", story.accounts)
        filled = await broker("select * from venue_executions where account_id = any($1)", story.accounts)
        parts = await broker("select * from live_orders where account_id = any($1)", story.accounts)
        breaks = await broker("select * from breaks where account_id = any($1)", story.accounts)
        latches = await risk("select * from latches where account_id = any($1)", story.accounts)
        over: dict[UUID, Decimal] = {}
        if story.live is not None:
            at_live, filled_live = live_books(story.live, parts, executions)
            venue, filled = [*venue, *at_live], [*filled, *as_booked(filled_live, executions, breaks)]
            over = overfilled(at_live)
            found += overfills_untold(story.live, at_live, breaks=breaks, latches=latches)
        found += groups_and_replacements(orders, over)
        found += _answered(story, orders)
        found += _ended_or_working(orders, venue, live=None if story.live is None else story.live.account_id)
        found += _fills(orders, executions, filled)
        found += _histories(orders, events)
        found += await _money(story, trading, executions)
        found += await _reservations(story, trading, risk)
        found += await _kills(risk, story, venue)
    return found + await records_broken(story)


def _answered(story: Story, orders: list[Mapping[str, Any]]) -> list[str]:
    """I1, I2: every order that was answered is there as it was answered; no other is."""
    by_client = {row["client_order_id"]: row for row in orders}
    found = [] if len(by_client) == len(orders) else ["I1: a client order id names two orders"]
    for name, command in story.asked.items():
        row = by_client.pop(command.client_order_id, None)
        legs = legs_of(command) if isinstance(command, SubmitOrder) else ()
        there = [leg for leg in legs if by_client.pop(leg, None) is not None]
        if len(there) != (len(legs) if row is not None and row["status"] != "denied" else 0):
            found.append(f"I1: {name} is {row and row['status']}, of its legs {legs} there are {there}")
        if name in story.known and (row is None or row["order_id"] != story.known[name]):
            found.append(f"I1: {name} was answered as {story.known[name]} and is {row and row['order_id']}")
        if name in story.refused and name not in story.known and row is not None:
            found.append(f"I1: {name} was refused ({story.refused[name]}) and is there")
    return found + [f"I1: {name} was never asked for" for name in by_client]


def _ended_or_working(
    orders: list[Mapping[str, Any]], venue: list[Mapping[str, Any]], *, live: UUID | None
) -> list[str]:
    """I1, I2: what is open in trading is open at the venue and the other way round; nothing denied is there."""
    whole = [row for row in venue if not row.get("is_part")]
    parts = {row["order_id"] for row in venue if row.get("is_part")}
    working = {row["order_id"] for row in venue if row["status"] in _WORKING}
    at_venue = {row["order_id"]: row["status"] for row in whole}
    found = [] if len(at_venue) == len(whole) else ["I2: the venue has an order twice"]
    for row in orders:
        waits_here = row["status"] == "held" and row["account_id"] == live  # a group at a live venue is run by broker
        is_open = row["status"] not in TERMINAL and not waits_here
        has = at_venue.get(row["order_id"])
        if row["order_id"] in parts:  # an exit in parts may wait for more of its entry, with nothing there meanwhile
            if row["status"] in TERMINAL and row["order_id"] in working:
                found.append(f"I1: exit {row['order_id']} is {row['status']}, a part of it works at the venue")
        elif is_open != (has in _WORKING):
            found.append(f"I1: order {row['order_id']} is {row['status']}, at the venue {has}")
        if row["status"] == "denied" and has is not None:
            found.append(f"I2: order {row['order_id']} was denied and is at the venue")
    return found


def _fills(
    orders: list[Mapping[str, Any]], executions: list[Mapping[str, Any]], filled: list[Mapping[str, Any]]
) -> list[str]:
    """I3: each execution of the venue is booked once, and orders filled what was booked."""
    booked = sorted((row["execution_id"], row["order_id"], row["qty"], row["price"], row["fee"]) for row in executions)
    told = sorted((row["execution_id"], row["order_id"], row["qty"], row["price"], row["fee"]) for row in filled)
    found = [] if booked == told else [f"I3: the venue executed {len(told)}, booked are {len(booked)}"]
    sums: dict[Any, Decimal] = {}
    for row in executions:
        sums[row["order_id"]] = sums.get(row["order_id"], Decimal(0)) + row["qty"]
    return found + [
        f"I3: order {row['order_id']} filled {row['filled_qty']}, executions make {sums.get(row['order_id'], 0)}"
        for row in orders
        if row["filled_qty"] != sums.get(row["order_id"], Decimal(0))
    ]


def _histories(orders: list[Mapping[str, Any]], events: list[Mapping[str, Any]]) -> list[str]:
    """I5, I8, I10, I16: no gap in versions, no way out of an end or back in time; the row is the last event."""
    found = []
    of_order: dict[Any, list[Mapping[str, Any]]] = {row["order_id"]: [] for row in orders}
    for event in events:
        of_order[event["order_id"]].append(event)
    for row in orders:
        history = of_order[row["order_id"]]
        if [event["version"] for event in history] != list(range(1, row["version"] + 1)):
            found.append(f"I8: order {row['order_id']} has versions {[event['version'] for event in history]}")
            continue
        if history[-1]["status"] != row["status"]:
            found.append(f"I10: order {row['order_id']} is {row['status']}, its last event {history[-1]['status']}")
        statuses = [event["status"] for event in history]
        ended = next((index for index, status in enumerate(statuses) if status in TERMINAL), len(statuses))
        if len(set(statuses[ended:])) > 1:
            found.append(f"I5: order {row['order_id']} went {' > '.join(statuses)}")
        times = [event["occurred_at"] for event in history]
        if times != sorted(times):
            found.append(f"I16: the history of order {row['order_id']} goes back in time")
    return found


async def _money(
    story: Story, trading: Callable[..., Awaitable[Any]], executions: list[Mapping[str, Any]]
) -> list[str]:
    """I3, I4: cash is start and the sum of fills, positions are the sum of fills, the ledger adds up."""
    found = []
    for account_id in story.accounts:
        own = [row for row in executions if row["account_id"] == account_id]
        flow = sum(
            (cash_delta(Side(row["side"]), row["qty"], price=row["price"], fee=row["fee"]) for row in own),
            STARTING_CASH,
        )
        (account,) = await trading("select cash from accounts where account_id = $1", account_id)
        if account["cash"] != flow:
            found.append(f"I4: cash of {account_id} is {account['cash']}, start and fills make {flow}")
        held = {row["symbol"]: Decimal(0) for row in own}
        for row in own:
            held[row["symbol"]] += _signed(row)
        rows = await trading(
            "select symbol, sum(qty) as qty from positions where account_id = $1 group by symbol", account_id
        )
        if {row["symbol"]: row["qty"] for row in rows} != held:
            found.append(f"I3: positions of {account_id} are {rows}, fills make {held}")
    (total,) = await trading("select coalesce(sum(amount), 0) as total from ledger_entries")
    return found if total["total"] == 0 else [*found, f"I4: the ledger adds up to {total['total']}"]


async def _reservations(
    story: Story, trading: Callable[..., Awaitable[Any]], risk: Callable[..., Awaitable[Any]]
) -> list[str]:
    """I6: risk holds open what trading has open, and the exposure is the position."""
    found = []
    open_orders = await trading(
        "select order_id, qty - carried_qty - filled_qty as rest from orders "
        "where account_id = any($1) and status <> all($2)",
        story.accounts,
        [str(status) for status in TERMINAL],
    )
    held = await risk(
        "select order_id, open_qty as rest from reservations where account_id = any($1) and open_qty > 0",
        story.accounts,
    )
    ours, theirs = ({row["order_id"]: row["rest"] for row in rows} for rows in (open_orders, held))
    for order_id in ours.keys() | theirs.keys():
        # An order for an amount of money has no rest: that something is reserved for it is what can be said.
        rest, reserved = ours.get(order_id, Decimal(0)), theirs.get(order_id, Decimal(0))
        if rest != reserved and not (rest is None and reserved):
            found.append(f"I6: {rest} of order {order_id} are open, {reserved} are reserved")
    positions = await trading(
        "select account_id, symbol, sum(qty) as qty from positions where account_id = any($1) group by 1, 2",
        story.accounts,
    )
    exposures = await risk(
        "select account_id, symbol, position_qty as qty from exposures where account_id = any($1)", story.accounts
    )
    ours, theirs = (
        {(row["account_id"], row["symbol"]): row["qty"] for row in rows if row["qty"]}
        for rows in (positions, exposures)
    )
    return found if ours == theirs else [*found, f"I6: positions {ours}, exposures {theirs}"]


async def _kills(risk: Callable[..., Awaitable[Any]], story: Story, venue: list[Mapping[str, Any]]) -> list[str]:
    """I7: of an account that is halted now nothing works at the venue."""
    rows = await risk(
        "select distinct on (account_id) account_id, state from kill_states where account_id = any($1) "
        "order by account_id, epoch desc",
        story.accounts,
    )
    halted = {row["account_id"] for row in rows if row["state"] in {"cancel_only", "halted"}}
    return [
        f"I7: order {row['order_id']} works though its account is halted"
        for row in venue
        if row["account_id"] in halted and row["status"] in _WORKING
    ]


def _signed(row: Mapping[str, Any]) -> Decimal:
    qty: Decimal = row["qty"]
    return qty if row["side"] == "buy" else -qty


@asynccontextmanager
async def _query(database: ServiceDatabase) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        await connection.execute(f"set search_path to {database.placement.schema}")
        yield connection.fetch
    finally:
        await connection.close()
