"""What people are told of a connection's key and of its venue's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alphintra.broker.domain.links import hint_of, skew_of
from alphintra.broker.gateways.venue import date_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key_id", "hint"), [("PKABCDEFGHIJ1234", "1234"), ("ABCD1234", "1234"), ("ABC1234", ""), ("", "")]
)
def test_a_hint_is_the_last_four_characters_of_a_key_that_is_long_enough_to_keep_the_rest(
    key_id: str, hint: str
) -> None:
    assert hint_of(key_id) == hint


@pytest.mark.parametrize(
    ("ahead_ms", "skew_ms"),
    [(0, 0), (-999, 0), (-1000, 0), (-1001, -1), (-5000, -4000), (1, 1), (2500, 2500)],
)
def test_a_date_in_whole_seconds_is_no_skew_within_its_second(ahead_ms: int, skew_ms: int) -> None:
    assert skew_of(NOON + timedelta(milliseconds=ahead_ms), NOON) == skew_ms


def test_the_date_of_an_answer_is_read_and_what_is_none_is_none() -> None:
    assert date_of("Mon, 02 Mar 2026 12:00:00 GMT") == NOON
    for text in ("", "yesterday", "Mon, 02 Mar 2026 12:00:00"):
        assert date_of(text) is None
