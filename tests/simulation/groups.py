"""What must hold of orders that belong together: exits and their entry, two exits, an order and the one before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from alphintra.kernel.vocabulary import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["groups_and_replacements"]

_NOTHING: Final[Mapping[UUID, Decimal]] = MappingProxyType({})
_WAITING: Final = frozenset({"pending_new", "pending_cancel", "pending_replace", "unknown"})


def groups_and_replacements(
    orders: Sequence[Mapping[str, Any]], overfilled: Mapping[UUID, Decimal] = _NOTHING
) -> list[str]:
    """I1, I3, I5: nothing waits for a word, exits never close more than was opened, chains hang together.

    Args:
        orders: of trading.
        overfilled: what a venue executed beyond what it was asked for, by order.
    """
    found = [f"I1: order {row['order_id']} is still {row['status']}" for row in orders if row["status"] in _WAITING]
    groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in orders:
        if row["group_id"] is not None:
            groups[row["group_id"]].append(row)
    for group_id, rows in groups.items():
        found += [f"I3: group {group_id} ({rows[0]['order_class']}) {what}" for what in _group(rows, overfilled)]
    by_id = {row["order_id"]: row for row in orders}
    return found + [what for row in orders if row["replaces"] is not None for what in _chained(row, by_id)]


def _group(rows: Sequence[Mapping[str, Any]], overfilled: Mapping[UUID, Decimal]) -> list[str]:
    """Return what is wrong with a group, each leg taken with what replaced it; an overfill is no fault of it."""
    entries = [row for row in rows if row["leg"] == "entry"]
    exits = [row for row in rows if row["leg"] != "entry"]
    closed = sum((row["filled_qty"] for row in exits), Decimal(0))
    over = sum((overfilled.get(row["order_id"], Decimal(0)) for row in exits), Decimal(0))
    found = []
    if entries:
        opened = sum((row["filled_qty"] for row in entries), Decimal(0))
        if closed - over > opened:
            found.append(f"closed {closed}, its entry opened {opened}")
        is_over = all(row["status"] in TERMINAL for row in entries)
        if is_over and not opened and any(row["status"] not in TERMINAL for row in exits):
            found.append("has an exit at work though its entry ended unfilled")
    else:
        most = max(row["qty"] for row in exits)
        if closed - over > most:
            found.append(f"closed {closed} of {most}")
    is_done = any(row["status"] == "filled" for row in exits)
    if is_done and any(row["status"] not in TERMINAL for row in rows):
        found.append(f"goes on beside an exit that was filled: {[row['status'] for row in rows]}")
    return found


def _chained(row: Mapping[str, Any], by_id: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    """Return what is wrong between an order and the one it took, or was to take, the place of."""
    old = by_id[row["replaces"]]
    took = old["replaced_by"] == row["order_id"]
    was_refused = row["status"] in {"denied", "rejected"}
    if was_refused and old["status"] == "replaced" and took:
        return [f"I1: order {old['order_id']} was replaced by {row['order_id']}, which is {row['status']}"]
    if row["status"] not in TERMINAL and old["status"] != "replaced":
        return [f"I1: order {row['order_id']} works beside {old['order_id']}, which it replaces ({old['status']})"]
    if old["status"] == "replaced" and took and row["carried_qty"] != old["carried_qty"] + old["filled_qty"]:
        what = f"carries {row['carried_qty']}, the one before filled {old['carried_qty'] + old['filled_qty']}"
        return [f"I3: order {row['order_id']} {what}"]
    return []
