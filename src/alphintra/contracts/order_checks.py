"""What risk would say of an order, asked without placing it."""

from __future__ import annotations

from decimal import Decimal

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.assessments import Finding
from alphintra.kernel.messages import Command, View

__all__ = ["CheckOrder", "OrderCheckView"]


class OrderCheckView(View, frozen=True):
    """What the controls say of an order as things are now; the order itself is judged anew when it is placed.

    ``price`` is the worst price of a unit that limits count with, ``qty`` how many units, ``value`` what all of them
    are worth at it, ``cash`` what a buy would reserve. They are None where nothing prices the order.
    """

    findings: tuple[Finding, ...]
    limit_version: int
    price: Decimal | None
    qty: Decimal | None
    value: Decimal | None
    cash: Decimal | None
    free_cash: Decimal | None
    position_qty: Decimal


class CheckOrder(Command[OrderCheckView], tag="risk.check_order.v1", frozen=True):
    """Ask every control about an order; nothing is reserved, stored or told."""

    terms: OrderTerms
