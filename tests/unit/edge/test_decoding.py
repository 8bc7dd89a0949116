"""Each mismatch between a body and its declaration is named by one stable code and a pointer."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.edge.decoding import Amount, Document, Label, bind
from alphintra.edge.strict_json import parse_json
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Utc


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Wanted(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A body with a field of each kind."""

    quantity: Amount = Amount(1)
    name: Label = Label("x")
    id: UUID | None = None
    at: Utc | None = None
    colour: Colour = Colour.RED
    is_open: bool = False
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    words: tuple[str, ...] = ()
    document: Document = Document("{}")


class Needy(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A body with a field that must be there."""

    quantity: Amount


def refusal(body: str, wanted: type[msgspec.Struct] = Wanted) -> AlphintraError:
    with pytest.raises(AlphintraError) as caught:
        bind(wanted, parse_json(body.encode()))
    return caught.value


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ("[]", "FIELD_TYPE", ""),
        ("null", "FIELD_TYPE", ""),
        ('{"quantty": 1}', "FIELD_UNKNOWN", "/quantty"),
        ('{"is_open": "true"}', "FIELD_TYPE", "/is_open"),
        ('{"is_open": 1}', "FIELD_TYPE", "/is_open"),
        ('{"count": 1.5}', "FIELD_TYPE", "/count"),
        ('{"count": "3"}', "FIELD_TYPE", "/count"),
        ('{"count": 10}', "FIELD_RANGE", "/count"),
        ('{"count": 0}', "FIELD_RANGE", "/count"),
        ('{"words": ["a", 2]}', "FIELD_TYPE", "/words/1"),
        ('{"id": "17"}', "FIELD_FORMAT", "/id"),
        ('{"at": "2026-01-31T09:30:00"}', "TIME_NO_ZONE", "/at"),
        ('{"at": "yesterday"}', "TIME_FORMAT", "/at"),
        ('{"colour": "green"}', "FIELD_VALUE", "/colour"),
        ('{"name": ""}', "FIELD_LENGTH", "/name"),
        ('{"name": "   "}', "FIELD_LENGTH", "/name"),
        (f'{{"name": "{"x" * 121}"}}', "FIELD_LENGTH", "/name"),
        ('{"name": 5}', "FIELD_TYPE", "/name"),
        ('{"name": "evil\\u202egpj"}', "FIELD_CHARS", "/name"),
        ('{"name": "zero\\u200bwidth"}', "FIELD_CHARS", "/name"),
        ('{"name": "two\\nlines"}', "FIELD_CHARS", "/name"),
        ('{"name": "\\u001b[31mred"}', "FIELD_CHARS", "/name"),
        ('{"document": []}', "FIELD_TYPE", "/document"),
        ('{"document": {"a": NaN}}', "NUMBER_NOT_FINITE", "/document"),
        ('{"document": {"a": 1e400}}', "NUMBER_RANGE", "/document"),
        ('{"quantity": null}', "FIELD_TYPE", "/quantity"),
        ('{"quantity": true}', "FIELD_TYPE", "/quantity"),
        ('{"quantity": {}}', "FIELD_TYPE", "/quantity"),
        ('{"quantity": "NaN"}', "NUMBER_NOT_FINITE", "/quantity"),
        ('{"quantity": NaN}', "NUMBER_NOT_FINITE", "/quantity"),
        ('{"quantity": Infinity}', "NUMBER_NOT_FINITE", "/quantity"),
        ('{"quantity": "-Infinity"}', "NUMBER_NOT_FINITE", "/quantity"),
        ('{"quantity": 1e999999}', "NUMBER_RANGE", "/quantity"),
        ('{"quantity": 1e18}', "NUMBER_RANGE", "/quantity"),
        (f'{{"quantity": {"9" * 5000}}}', "NUMBER_RANGE", "/quantity"),
        ('{"quantity": 1e-999999}', "NUMBER_SCALE", "/quantity"),
        ('{"quantity": 0.30000000000000004}', "NUMBER_SCALE", "/quantity"),
        ('{"quantity": "1_000"}', "NUMBER_FORMAT", "/quantity"),
        ('{"quantity": "\\u0661\\u0662\\u0663"}', "NUMBER_FORMAT", "/quantity"),
        ('{"quantity": " 12 "}', "NUMBER_FORMAT", "/quantity"),
        ('{"quantity": "1,5"}', "NUMBER_FORMAT", "/quantity"),
        ('{"quantity": "1e3"}', "NUMBER_FORMAT", "/quantity"),
        ('{"quantity": ""}', "NUMBER_FORMAT", "/quantity"),
    ],
)
def test_a_mismatch_is_refused_by_code_and_pointer(body: str, code: str, pointer: str) -> None:
    found = refusal(body)
    assert (found.code, found.pointer) == (code, pointer)


def test_a_missing_field_is_asked_for_by_name() -> None:
    found = refusal("{}", Needy)
    assert (found.code, found.pointer) == ("FIELD_REQUIRED", "/quantity")


def test_a_misspelt_field_is_answered_with_the_one_meant() -> None:
    assert "did you mean 'quantity'?" in refusal('{"quantty": 1}').detail


@given(st.decimals(min_value=-(10**17), max_value=10**17, places=9))
def test_an_amount_is_the_same_as_text_and_as_number(amount: Decimal) -> None:
    text = f"{amount:f}"
    as_text = bind(Wanted, parse_json(f'{{"quantity": "{text}"}}'.encode())).quantity
    as_number = bind(Wanted, parse_json(f'{{"quantity": {text}}}'.encode())).quantity
    assert as_text == as_number == amount


def test_a_document_is_handed_on_with_its_numbers_and_texts() -> None:
    body = bind(Wanted, parse_json(b'{"document": {"a": [1, 2.5, 1e3, "\\u00e9", null, true], "b": {}}}'))
    assert msgspec.json.decode(str(body.document)) == {"a": [1, 2.5, 1000.0, "\u00e9", None, True], "b": {}}
