"""When a table that is cut by month is said to run out of months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alphintra.trading.domain.months import WARNED_BEFORE, Cut, earliest_end, warning_of

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)


def cut(kept_until: datetime | None) -> Cut:
    return Cut(table="trading_schema.order_events", kept_until=kept_until, has_rest=False)


def test_a_table_with_months_ahead_is_well() -> None:
    assert warning_of(cut(AT + WARNED_BEFORE), at=AT) == ""


@pytest.mark.parametrize(
    ("kept_until", "words"),
    [
        (AT + WARNED_BEFORE - timedelta(microseconds=1), "has no month from 2026-12-07 on"),
        (AT - timedelta(days=40), "has no month from 2026-10-14 on"),
        (None, "has no months"),
    ],
)
def test_what_lacks_is_said_with_the_way_to_mend_it(kept_until: datetime | None, words: str) -> None:
    warning = warning_of(cut(kept_until), at=AT)
    assert words in warning
    assert "alphintra db months --keep" in warning


def test_all_tables_are_kept_until_the_first_of_them_is_not() -> None:
    later = AT + timedelta(days=31)
    assert earliest_end((cut(later), cut(AT))) == AT
    assert earliest_end((cut(later), cut(None))) is None
    assert earliest_end(()) is None
