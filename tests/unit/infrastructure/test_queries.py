"""The statement files: split by name, each name once."""

from __future__ import annotations

import pytest

from alphintra.infrastructure.postgres import Queries
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICE_NAMES


def test_a_file_is_split_into_named_statements_without_their_semicolons() -> None:
    text = (
        "preamble that belongs to nobody\n\n"
        "-- orders.get: read one order\n-- remark: no header\nSELECT ';'\n-- done;\nWHERE true;\n\n"
        "-- orders.put: store one\nINSERT INTO t VALUES ($1);\n"
    )
    assert Queries.parse(text) == {
        "orders.get": "-- remark: no header\nSELECT ';'\n-- done;\nWHERE true",
        "orders.put": "INSERT INTO t VALUES ($1)",
    }


def test_a_file_without_statements_has_none() -> None:
    assert Queries.parse("") == {}


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(AlphintraError) as caught:
        Queries.parse("-- a.b: one\nSELECT 1;\n-- a.b: two\nSELECT 2;\n")
    assert caught.value.code == "QUERY_DUPLICATE"


def test_a_service_that_rewrites_a_common_statement_is_refused() -> None:
    with pytest.raises(AlphintraError) as caught:
        Queries.load("alphintra.infrastructure")
    assert caught.value.code == "QUERY_DUPLICATE"


@pytest.mark.parametrize("service", SERVICE_NAMES)
def test_every_service_has_its_statements_and_the_common_ones(service: str) -> None:
    statements = Queries.load(f"alphintra.{service}").statements
    assert {"events.append", "inbox.receive", "audit.append"} <= statements.keys()
    assert len(statements) > 10
    assert all(text and not text.endswith(";") for text in statements.values())
