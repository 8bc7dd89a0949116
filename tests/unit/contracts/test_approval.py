"""The risk approval: it covers exactly what was approved, and any change of terms, decision or proof breaks it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.contracts.approval import (
    Approval,
    ApprovalSeal,
    OrderTerms,
    approval_leaf,
    is_covered,
    proofs,
    seal_bytes,
)
from alphintra.infrastructure.signing import SigningKey
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, PositionIntent, Side, TimeInForce

KEY = SigningKey(base64.b64encode(bytes(32)).decode())
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
change = msgspec.structs.replace
amounts = st.decimals(min_value="0.000000001", max_value="1e15", places=9)


@st.composite
def terms(draw: st.DrawFn) -> OrderTerms:
    is_limit = draw(st.booleans())
    return OrderTerms(
        order_id=draw(st.uuids()),
        client_order_id=draw(st.text("abc", min_size=1, max_size=8)),
        account_id=draw(st.uuids()),
        symbol=draw(st.sampled_from(["AAPL", "MSFT"])),
        side=draw(st.sampled_from(Side)),
        type=OrderType.LIMIT if is_limit else OrderType.MARKET,
        time_in_force=draw(st.sampled_from(TimeInForce)),
        qty=draw(amounts),
        limit_price=draw(amounts) if is_limit else None,
    )


def sealed(orders: list[OrderTerms]) -> list[Approval]:
    """Approve a batch as risk does."""
    leaves = tuple(approval_leaf(o, decision_id=UUID(int=n), limit_version=7) for n, o in enumerate(orders))
    root, paths = proofs(leaves)
    seal = ApprovalSeal(root=root, size=len(leaves), kill_epoch=3, expires_at=NOON)
    signature = KEY.sign(seal_bytes(seal))
    return [
        Approval(decision_id=UUID(int=n), limit_version=7, seal=seal, signature=signature, index=n, path=paths[n])
        for n in range(len(orders))
    ]


def is_good(order: OrderTerms, approval: Approval) -> bool:
    """Tell whether the broker would take it, time apart."""
    return KEY.verify_key.is_signed(seal_bytes(approval.seal), approval.signature) and is_covered(order, approval)


batches = st.lists(terms(), min_size=1, max_size=9, unique_by=lambda order: order.order_id)


@settings(deadline=None)
@given(batches)
def test_every_order_of_a_batch_is_covered_by_its_own_approval_alone(orders: list[OrderTerms]) -> None:
    approvals = sealed(orders)
    for n, order in enumerate(orders):
        assert [is_good(order, approval) for approval in approvals] == [m == n for m in range(len(orders))]


@settings(deadline=None)
@given(terms(), st.data())
def test_any_change_of_the_terms_breaks_the_approval(order: OrderTerms, data: st.DataObject) -> None:
    (approval,) = sealed([order])
    tick = Decimal("0.000000001")
    changed = {
        "order_id": UUID(int=order.order_id.int ^ 1),
        "client_order_id": order.client_order_id + "x",
        "account_id": UUID(int=order.account_id.int ^ 1),
        "symbol": order.symbol + "L",
        "side": Side.SELL if order.side is Side.BUY else Side.BUY,
        "type": OrderType.LIMIT if order.type is OrderType.MARKET else OrderType.MARKET,
        "time_in_force": TimeInForce.GTC if order.time_in_force is TimeInForce.DAY else TimeInForce.DAY,
        "extended_hours": not order.extended_hours,
        "reduce_only": not order.reduce_only,
        "expire_at": datetime(2026, 3, 2, 15, tzinfo=UTC),
        "position_intent": PositionIntent.BUY_TO_OPEN,
        "order_class": OrderClass.OTO,
        "leg": Leg.STOP_LOSS,
        "group_id": order.order_id,
        "replaces": order.order_id,
        "from_fill": FromFill(factor=Decimal("0.9"), offset=Decimal(0)),
        **{
            name: tick if getattr(order, name) is None else getattr(order, name) + tick
            for name in ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent")
        },
    }
    assert set(changed) == set(OrderTerms.__struct_fields__)
    name = data.draw(st.sampled_from(sorted(changed)))
    assert is_good(order, approval)
    assert not is_good(change(order, **{name: changed[name]}), approval)


@settings(deadline=None)
@given(st.lists(terms(), min_size=2, max_size=9, unique_by=lambda order: order.order_id), st.data())
def test_any_change_of_the_approval_breaks_it(orders: list[OrderTerms], data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(orders) - 1))
    order, approval = orders[n], sealed(orders)[n]
    seal = approval.seal
    seals = {
        "root": seal.root[:-1] + bytes([seal.root[-1] ^ 1]),
        "size": seal.size + 1,
        "kill_epoch": seal.kill_epoch + 1,
        "expires_at": seal.expires_at + timedelta(seconds=1),
    }
    assert set(seals) == set(ApprovalSeal.__struct_fields__)
    part = data.draw(st.sampled_from(sorted(seals)))
    changed = {
        "decision_id": UUID(int=99),
        "limit_version": 8,
        "seal": change(seal, **{part: seals[part]}),
        "signature": approval.signature[:-1] + bytes([approval.signature[-1] ^ 1]),
        "index": (approval.index + 1) % len(orders),
        "path": approval.path[:-1],
    }
    assert set(changed) == set(Approval.__struct_fields__)
    name = data.draw(st.sampled_from(sorted(changed)))
    assert is_good(order, approval)
    assert not is_good(order, change(approval, **{name: changed[name]}))


@settings(deadline=None)
@given(terms(), st.integers(0, 63), st.integers(0, 7))
def test_one_flipped_bit_of_a_path_breaks_it(order: OrderTerms, byte: int, bit: int) -> None:
    neighbour = change(order, order_id=UUID(int=order.order_id.int ^ 1))
    approval, _other = sealed([order, neighbour])
    (node,) = approval.path
    flipped = bytearray(node)
    flipped[byte % 32] ^= 1 << bit
    assert not is_good(order, change(approval, path=(bytes(flipped),)))


@settings(deadline=None)
@given(terms())
def test_an_approval_of_another_key_is_worth_nothing(order: OrderTerms) -> None:
    (approval,) = sealed([order])
    forger = SigningKey(base64.b64encode(bytes(31) + b"\x01").decode())
    assert not is_good(order, change(approval, signature=forger.sign(seal_bytes(approval.seal))))


def test_amounts_are_covered_however_they_are_written() -> None:
    order = OrderTerms(
        order_id=UUID(int=1),
        client_order_id="c",
        account_id=UUID(int=2),
        symbol="AAPL",
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        qty=Decimal(100),
        limit_price=Decimal("10.5"),
    )
    (approval,) = sealed([order])
    assert is_good(change(order, qty=Decimal("1E+2"), limit_price=Decimal("10.500000000")), approval)


@settings(deadline=None)
@given(terms())
def test_an_approval_survives_the_wire(order: OrderTerms) -> None:
    (approval,) = sealed([order])
    encode = msgspec.json.Encoder(decimal_format="string").encode
    arrived = msgspec.json.decode(encode(approval), type=Approval)
    assert is_good(msgspec.json.decode(encode(order), type=OrderTerms), arrived)
