"""Which months and rows are due, and which of them are held: to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.retention.rules import Month, due_months, held_sql, rules_of
from alphintra.kernel.holds import Hold
from alphintra.manifest import SERVICES
from alphintra.manifest.disposals import Disposal, Manner
from alphintra.manifest.retention import PROFILES

AT = datetime(2026, 2, 28, 12, 0, 0, 1, tzinfo=UTC)
DISPOSAL = Disposal(
    retention="order", manner=Manner.ROWS, aged_by="t.at", key=("id",), subjects={"account": "t.account_id::text"}
)


def month(first: datetime) -> Month:
    following = (first + timedelta(days=32)).replace(day=1)
    return Month(part=f"p{first:%Y_%m}", starts_at=first, ends_at=following)


@given(
    months=st.lists(st.integers(0, 400), max_size=30, unique=True),
    cutoff=st.datetimes(datetime(2000, 1, 1), datetime(2033, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
)
def test_a_month_is_due_when_its_last_microsecond_is(months: list[int], cutoff: datetime) -> None:
    every = [month(datetime(2000 + n // 12, n % 12 + 1, 1, tzinfo=UTC)) for n in months]
    due = due_months(every, cutoff)
    for each in every:
        newest = each.ends_at - timedelta(microseconds=1)
        assert (each in due) == (newest < cutoff)


def test_a_month_is_due_at_its_end_and_not_a_microsecond_before() -> None:
    february = month(datetime(2024, 2, 1, tzinfo=UTC))
    end = datetime(2024, 3, 1, tzinfo=UTC)
    assert due_months([february], end) == (february,)
    assert due_months([february], end - timedelta(microseconds=1)) == ()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("service", SERVICES)
def test_each_rule_has_a_cutoff_that_lies_at_least_its_span_back(service: str, profile: str) -> None:
    rules = rules_of(service, profile=profile, at=AT)
    assert {"event_log", "inbox"} <= {due.table.name for due in rules}
    for due in rules:
        span = due.terms.hot if due.is_archived else due.terms.keep
        assert span is not None
        assert due.cutoff == span.before(AT)
        assert due.cutoff < AT - timedelta(days=29)


def test_rows_that_others_refer_to_leave_after_these() -> None:
    order = [due.table.name for due in rules_of("notification", profile="default", at=AT)]
    assert order.index("deliveries") < order.index("messages")
    order = [due.table.name for due in rules_of("risk", profile="default", at=AT)]
    assert order.index("reservations") < order.index("assessments")


def hold(kind: str, subject: str = "", *, start: datetime | None = None, end: datetime | None = None) -> Hold:
    return Hold(hold_id=UUID(int=1), kind=kind, subject=subject, from_at=start, to_at=end)


def test_no_hold_holds_nothing_and_a_hold_on_all_holds_everything_of_its_range() -> None:
    assert held_sql(DISPOSAL, (), first=2) == ("(false)", ())
    assert held_sql(DISPOSAL, (hold("all"),), first=2) == ("((true))", ())
    assert held_sql(DISPOSAL, (hold("all", start=AT, end=AT),), first=3) == (
        "((true and t.at >= $3::timestamptz and t.at < $4::timestamptz))",
        (AT, AT),
    )


def test_a_hold_on_what_a_table_cannot_tell_holds_all_of_it() -> None:
    assert held_sql(DISPOSAL, (hold("user", "u"),), first=1) == ("((true))", ())
    assert held_sql(DISPOSAL, (hold("account", "a"), hold("order", "o")), first=1) == (
        "((true and coalesce(t.account_id::text = $1::text, true)) or (true))",
        ("a",),
    )
