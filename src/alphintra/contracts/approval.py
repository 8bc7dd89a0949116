"""The risk approval: one signature over a batch of orders, carried by each order with its proof.

Risk signs the root of a Merkle tree whose leaves bind an order's terms to the decision on it. The broker sends
nothing without an approval that verifies, so that a stolen trading database or bus cannot place an order.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.kernel.merkle import inclusion_paths, is_included, leaf_hash
from alphintra.kernel.messages import Utc
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

__all__ = ["Approval", "ApprovalSeal", "OrderTerms", "approval_leaf", "is_covered", "proofs", "seal_bytes"]


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an order asks for: the part that is hashed, approved and sent, and never changes."""

    order_id: UUID
    client_order_id: str
    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    limit_price: Decimal | None = None


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


def approval_leaf(terms: OrderTerms, *, decision_id: UUID, limit_version: int) -> bytes:
    """Return the leaf that binds an order's terms to the decision on it."""
    normal = msgspec.structs.replace(
        terms,
        qty=terms.qty.normalize(),
        limit_price=None if terms.limit_price is None else terms.limit_price.normalize(),
    )
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
