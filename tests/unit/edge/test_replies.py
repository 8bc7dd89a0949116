"""Documents that travel as text inside are JSON outside."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.contracts.books import PositionsView, PositionView
from alphintra.contracts.nocode import TemplatesView, TemplateView, WorkflowVersionView
from alphintra.edge.replies import DOCUMENTS, encode_reply
from fixtures.edge import sample


def test_every_declared_document_is_a_text_of_its_view() -> None:
    for view, name in DOCUMENTS.items():
        assert name in view.__struct_fields__


def test_a_graph_is_answered_as_an_object() -> None:
    answered = msgspec.json.decode(encode_reply(sample(WorkflowVersionView)))
    assert answered["graph"] == {"sample": 1}
    assert answered["name"] == "text"


def test_graphs_inside_a_list_are_objects_too() -> None:
    answered = msgspec.json.decode(encode_reply(sample(TemplatesView)))
    assert answered["templates"][0]["graph"] == {"sample": 1}


def test_a_document_that_is_not_there_yet_is_null() -> None:
    view = TemplateView(name="a", title="b", description="c", graph="")
    assert msgspec.json.decode(encode_reply(view))["graph"] is None


def test_a_small_amount_is_a_plain_number_and_nothing_else_changes() -> None:
    small = PositionView(
        account_id=UUID(int=1),
        book_id=None,
        symbol="1E-7",
        qty=Decimal("1E-7"),
        avg_price=Decimal("-0.000000120"),
        realized_pnl=Decimal("12.50"),
        fees=Decimal("0E-9"),
    )
    (answered,) = msgspec.json.decode(encode_reply(PositionsView(positions=(small,))))["positions"]
    assert answered == {
        "account_id": str(UUID(int=1)),
        "book_id": None,
        "symbol": "1E-7",
        "qty": "0.0000001",
        "avg_price": "-0.00000012",
        "realized_pnl": "12.5",
        "fees": "0",
        "price": None,
        "marked_at": None,
        "market_value": None,
        "unrealized_pnl": None,
    }
