"""Names and texts that try to leave their quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.kernel.errors import AlphintraError

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=15)


@given(TEXT)
def test_a_quoted_name_reads_back_as_itself(name: str) -> None:
    quoted = identifier(name)
    assert quoted[1:-1].replace('""', '"') == name
    assert quoted[1:-1].replace('""', "").count('"') == 0


@given(TEXT)
def test_a_quoted_text_ends_where_it_ends(text: str) -> None:
    quoted = literal(text)
    assert quoted.startswith("E'") == ("\\" in text)
    inner = quoted.removeprefix("E")[1:-1]
    assert inner.replace("\\\\", "\\").replace("''", "'") == text


def test_an_injection_stays_a_name() -> None:
    assert qualified("a", 'b"; drop table c; --') == '"a"."b""; drop table c; --"'


@pytest.mark.parametrize("name", ["", "with\x00nul", "x" * 64, "ü" * 32])
def test_a_name_postgresql_would_change_is_refused(name: str) -> None:
    with pytest.raises(AlphintraError, match="IDENTIFIER_FORMAT"):
        identifier(name)


def test_a_text_with_nul_is_refused() -> None:
    with pytest.raises(AlphintraError, match="LITERAL_FORMAT"):
        literal("a\x00b")
