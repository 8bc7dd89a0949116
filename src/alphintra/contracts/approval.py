"""The risk approval: one signature over a batch of orders, carried by each order with its proof.

Risk signs the root of a Merkle tree whose leaves bind an order's terms to the decision on it. The broker sends
nothing without an approval that verifies, so that a stolen trading database or bus cannot place an order.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.merkle import inclusion_paths, is_included, leaf_hash
from alphintra.kernel.messages import Utc
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, PositionIntent, Side, TimeInForce

__all__ = ["Approval", "ApprovalSeal", "OrderTerms", "approval_leaf", "is_covered", "proofs", "seal_bytes"]


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an order asks for: the part that is hashed, approved and sent, and never changes.

    Attributes:
        order_id: id of the order, derived from account and client order id.
        client_order_id: the client's own id, which venues are given too.
        account_id: whose order it is.
        symbol: what is traded.
        side: buy or sell.
        type: how it is priced.
        time_in_force: how long it works.
        qty: quantity; None where ``notional`` says how much money is to be traded instead.
        notional: amount of money in the account's currency; None where ``qty`` is given.
        limit_price: worst acceptable price of limit and stop_limit orders.
        stop_price: price that triggers stop and stop_limit orders.
        trail_price: distance of a trailing stop from the best price since it works, in price units.
        trail_percent: the same in percent of that best price; one of the two for trailing_stop orders.
        expire_at: end of a gtd order.
        extended_hours: whether it may trade outside the regular session.
        reduce_only: whether it may only bring a position closer to zero.
        position_intent: what it is to do to the position, where the client said.
        order_class: how it belongs to others; every order of a group carries the class of the group.
        leg: what it is to its group; entry for a simple order.
        group_id: order id of the group's first order; None for a simple order.
        replaces: the order it takes the place of.
        from_fill: of an exit, how its price follows from that at which its entry fills; its own price is where it lies
            until then. Left out where its price is fixed, so that such orders are what they were before there was it.
    """

    order_id: UUID
    client_order_id: str
    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: Utc | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    position_intent: PositionIntent | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: UUID | None = None
    replaces: UUID | None = None
    from_fill: FromFill | UnsetType = UNSET

    @property
    def reckoning(self) -> FromFill | None:
        """How its price follows from its entry's fill; None where it is fixed."""
        return None if isinstance(self.from_fill, UnsetType) else self.from_fill


class ApprovalSeal(msgspec.Struct, frozen=True, kw_only=True):
    """What risk signs: the root over the batch, the kill epoch it was decided in, and when it dies."""

    root: bytes
    size: int
    kill_epoch: int
    expires_at: Utc


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that risk approved one order: the signed seal of its batch and the order's place in it."""

    decision_id: UUID
    limit_version: int
    seal: ApprovalSeal
    signature: bytes
    index: int
    path: tuple[bytes, ...]


_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


_AMOUNTS = ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent")


def approval_leaf(terms: OrderTerms, *, decision_id: UUID, limit_version: int) -> bytes:
    """Return the leaf that binds an order's terms to the decision on it."""
    amounts = {name: getattr(terms, name) for name in _AMOUNTS}
    normal = msgspec.structs.replace(
        terms, **{name: None if amount is None else amount.normalize() for name, amount in amounts.items()}
    )
    if (told := terms.reckoning) is not None:
        tick = None if told.tick is None else told.tick.normalize()
        plain = FromFill(factor=told.factor.normalize(), offset=told.offset.normalize(), tick=tick)
        normal = msgspec.structs.replace(normal, from_fill=plain)
    return leaf_hash(_encode([normal, decision_id, limit_version]))


def seal_bytes(seal: ApprovalSeal) -> bytes:
    """Return the bytes that are signed."""
    return b"alphintra.approval.v1\n" + _encode(seal)


def proofs(leaves: tuple[bytes, ...]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Return the root over the leaves, at least one, and the inclusion path of each."""
    return inclusion_paths(leaves)


def is_covered(terms: OrderTerms, approval: Approval) -> bool:
    """Tell whether these very terms are in the sealed batch; the signature is checked apart."""
    leaf = approval_leaf(terms, decision_id=approval.decision_id, limit_version=approval.limit_version)
    seal = approval.seal
    return is_included(leaf, index=approval.index, size=seal.size, path=approval.path, root=seal.root)
