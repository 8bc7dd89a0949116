"""A venue elsewhere against our books: of what it says differently later somebody must have been told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from simulation.live import LiveSide

__all__ = ["as_booked", "live_books", "overfilled", "overfills_untold"]

Rows = list[dict[str, Any]]


def live_books(
    live: LiveSide, sent: Sequence[Mapping[str, Any]], executions: Sequence[Mapping[str, Any]]
) -> tuple[Rows, Rows]:
    """Return a venue's orders and executions in the words of ours: a part of an exit is that exit.

    What of an order is left is what our executions leave of it: what was taken back before anybody heard of it is in
    no book.
    """
    booked = {row["execution_id"]: row["qty"] for row in executions}
    filled: dict[str, Decimal] = {}
    for fill in (*live.venue.fills, *live.venue.taken_back):
        qty = booked.get(fill.execution_id, Decimal(0))
        filled[fill.venue_order_id] = filled.get(fill.venue_order_id, Decimal(0)) + qty
    known = {row["client_order_id"]: row["part_of"] or row["order_id"] for row in sent}
    parts = {row["client_order_id"] for row in sent if row["part_of"] is not None}
    ids = {row.venue_order_id: known[row.client_order_id] for row in live.venue.rows}
    rows = [
        {
            "account_id": live.account_id,
            "order_id": ids[row.venue_order_id],
            "status": str(row.state),
            "is_part": row.client_order_id in parts,
            "symbol": row.symbol,
            "rest": row.qty - row.prior_qty - filled.get(row.venue_order_id, Decimal(0)),
        }
        for row in live.venue.rows
    ]
    fills = [
        {
            "execution_id": fill.execution_id,
            "order_id": ids[fill.venue_order_id],
            "symbol": fill.symbol,
            "qty": fill.qty,
            "price": fill.price,
            "fee": fill.fee,
            "is_taken_back": is_taken_back,
        }
        for is_taken_back, told in ((False, live.venue.fills), (True, live.venue.taken_back))
        for fill in told
    ]
    return rows, fills


def as_booked(
    filled: Sequence[Mapping[str, Any]], executions: Sequence[Mapping[str, Any]], breaks: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return what has to be booked: a venue's executions, each as first heard of where a difference was reported."""
    booked = {row["execution_id"]: row for row in executions}
    reported = {row["key"] for row in breaks if row["code"] == "EXEC_CONFLICT"}
    symbols = {row["symbol"] for row in breaks if row["code"] == "POSITION_DIFF"}
    is_cash_off = any(row["code"] == "CASH_DIFF" for row in breaks)
    wanted: list[Mapping[str, Any]] = []
    for row in filled:
        ours, execution_id = booked.get(row["execution_id"]), row["execution_id"]
        if row["is_taken_back"]:
            is_told = f"bust:{execution_id}" in reported or row["symbol"] in symbols or is_cash_off
            wanted += [ours] if ours is not None and is_told else []
            continue
        is_told = is_cash_off or any(key.startswith(f"{execution_id}:") for key in reported)
        wanted.append(ours if ours is not None and is_told else row)
    return wanted


def overfilled(orders: Sequence[Mapping[str, Any]]) -> dict[UUID, Decimal]:
    """Return what a venue executed beyond what it was asked for, by order; of an exit in parts their sum."""
    found: dict[UUID, Decimal] = {}
    for row in orders:
        found[row["order_id"]] = found.get(row["order_id"], Decimal(0)) + max(-row["rest"], Decimal(0))
    return found


def overfills_untold(
    live: LiveSide,
    orders: Sequence[Mapping[str, Any]],
    *,
    breaks: Sequence[Mapping[str, Any]],
    latches: Sequence[Mapping[str, Any]],
) -> list[str]:
    """I3: of every order that got more than it was for somebody was told, and its symbol is blocked for the account."""
    told = {row["order_id"] for row in breaks if row["code"] == "OVERFILL"}
    blocked = {row["symbol"] for row in latches if row["code"] == "OVERFILL" and row["account_id"] == live.account_id}
    over = [row for row in orders if row["rest"] < 0]
    found = [
        f"I3: nobody was told that order {row['order_id']} was overfilled"
        for row in over
        if row["order_id"] not in told
    ]
    return found + [
        f"I3: order {row['order_id']} was overfilled and {row['symbol']} is not blocked"
        for row in over
        if row["symbol"] not in blocked
    ]
