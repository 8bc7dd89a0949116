"""How long records are kept: every table has a rule, and no span is ever cut short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES, ServiceSpec, TableSpec, service_tables
from alphintra.manifest.disposals import SUBJECTS, Manner, disposals_of, disposed_tables, retainer_rights
from alphintra.manifest.retention import CLASSES, PROFILES, Period, profile_named

TABLES = [(spec, table) for spec in SERVICES.values() for table in service_tables(spec)]
IDS = [f"{spec.name}.{table.name}" for spec, table in TABLES]
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
PERIODS = st.builds(Period, months=st.integers(0, 120), days=st.integers(0, 400))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Australia/Lord_Howe"]
)


@pytest.mark.parametrize(("spec", "table"), TABLES, ids=IDS)
def test_every_table_has_a_class_and_says_what_becomes_of_its_rows(spec: ServiceSpec, table: TableSpec) -> None:
    assert table.data_class in CLASSES
    rules = disposals_of(spec.name, table)
    assert rules, f"say in manifest/disposals.py what becomes of {spec.name}.{table.name}"
    for rule in rules:
        if rule.manner is Manner.KEPT:
            assert rule.reason
            assert (rule.aged_by, rule.key) == ("", ())
        else:
            assert rule.rule.default.keep is not None
            assert rule.aged_by
            assert bool(rule.key) == (rule.manner is Manner.ROWS)
            assert bool(table.by_month) == (rule.manner is Manner.PARTS)
            assert set(rule.subjects) <= set(SUBJECTS)
    if len(rules) > 1:
        assert len({rule.only_if for rule in rules}) == len(rules)


def test_audit_rows_and_credentials_are_never_taken_out_nor_read() -> None:
    untouchable = {"audit_events", "audit_pending", "schema_migrations", "link_credentials", "users", "api_keys"}
    for spec, table in TABLES:
        words, _, changed = retainer_rights(spec, table)
        if table.name in untouchable:
            assert (words, changed) == ((), ())
        if "delete" in words:
            assert table in disposed_tables(spec)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_keeps_longer_hot_than_at_all(profile: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for each in CLASSES.values():
        terms = each.terms(profile)
        assert terms.hot is None or terms.keep is None or terms.hot.before(at) > terms.keep.before(at)
        if terms.keep is not None and each.default.keep is not None:
            assert terms.keep.before(at) >= each.default.keep.before(at), "the default is the longest of all"


def test_a_profile_has_its_name_and_its_law_s() -> None:
    assert [profile_named(name) for name in ("default", "eu", "mifid", "us", "sec")] == [
        *("default", "eu", "eu", "us", "us")
    ]
    with pytest.raises(AlphintraError, match="no retention profile 'uk'"):
        profile_named("uk")


@pytest.mark.parametrize(
    ("period", "at", "before"),
    [
        (Period.years(1), datetime(2025, 2, 28, 12, tzinfo=UTC), datetime(2024, 2, 28, 12, tzinfo=UTC)),
        (Period.years(1), datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2023, 2, 28, 12, tzinfo=UTC)),
        (Period.years(7), datetime(2031, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        (Period(months=13), datetime(2026, 1, 31, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)),
        (Period(months=1), datetime(2026, 3, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        (Period(days=30), datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 1, 30, tzinfo=UTC)),
        (
            Period.years(2),
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            datetime(2023, 12, 31, 23, tzinfo=UTC),
        ),
    ],
)
def test_a_span_is_counted_back_by_the_calendar_of_utc(period: Period, at: datetime, before: datetime) -> None:
    assert period.before(at) == before


@given(at=MOMENTS, period=PERIODS, zone=ZONES)
def test_the_zone_of_the_caller_moves_no_boundary(at: datetime, period: Period, zone: str) -> None:
    assert period.before(at.astimezone(ZoneInfo(zone))) == period.before(at)


@given(at=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=800)), period=PERIODS)
def test_what_was_due_stays_due(at: datetime, later: timedelta, period: Period) -> None:
    assert period.before(at) <= period.before(at + later)


@given(at=MOMENTS, months=st.integers(1, 120))
def test_nothing_is_due_before_its_day_has_come_again(at: datetime, months: int) -> None:
    """A record just older than the boundary has seen at least so many whole months."""
    born = Period(months=months).before(at) - timedelta(microseconds=1)
    passed = (at.year - born.year) * 12 + at.month - born.month
    whole = passed if (at.day, at.time()) >= (born.day, born.time()) else passed - 1
    assert whole >= months


def test_spans_read_as_people_write_them() -> None:
    assert [str(each) for each in (Period.years(7), Period.years(1), Period(months=13), Period(days=30), Period())] == [
        *("7 years", "1 year", "13 months", "30 days", "0 days")
    ]
    assert str(CLASSES["order"].default) == "7 years, 2 years of them hot"
    assert str(CLASSES["audit"].default) == "life of the installation"
