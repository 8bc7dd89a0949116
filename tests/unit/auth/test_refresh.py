"""Refresh tokens: rotation, the lost answer, reuse, and made-up tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alphintra.auth.domain import (
    RefreshRefusal,
    Renewed,
    Session,
    hash_secret,
    new_session,
    parse_refresh_token,
    refresh,
    refresh_token_text,
)
from alphintra.kernel.ids import UserId

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
KEY = bytes(range(32))
FIRST = b"\x01" * 32
SESSION_ID = UUID(int=7)


def a_session() -> Session:
    return new_session(SESSION_ID, UserId(UUID(int=1)), FIRST, at=START)


def renewed(session: Session, secret: bytes, *, at: datetime) -> Renewed:
    outcome = refresh(session, secret, chain_key=KEY, at=at)
    assert isinstance(outcome, Renewed)
    return outcome


def test_a_valid_token_is_exchanged_for_another_and_only_its_hash_is_kept() -> None:
    first = renewed(a_session(), FIRST, at=START + timedelta(minutes=5))
    assert first.secret != FIRST
    assert first.session.token_hash == hash_secret(first.secret)
    assert first.session.rotations == 1
    assert first.secret not in {value for value in vars_of(first.session) if isinstance(value, bytes)}


def vars_of(session: Session) -> list[object]:
    return [getattr(session, name) for name in Session.__slots__]


def test_within_ten_seconds_the_token_before_yields_the_same_successor_and_changes_nothing() -> None:
    at = START + timedelta(minutes=5)
    first = renewed(a_session(), FIRST, at=at)
    again = renewed(first.session, FIRST, at=at + timedelta(seconds=10))
    assert again.secret == first.secret
    assert again.session is first.session


def test_after_ten_seconds_the_token_before_is_reuse() -> None:
    at = START + timedelta(minutes=5)
    first = renewed(a_session(), FIRST, at=at)
    late = at + timedelta(seconds=10, microseconds=1)
    assert refresh(first.session, FIRST, chain_key=KEY, at=late) is RefreshRefusal.REUSED


def test_a_token_whose_successor_was_used_is_reuse_at_once() -> None:
    first = renewed(a_session(), FIRST, at=START)
    second = renewed(first.session, first.secret, at=START)
    assert refresh(second.session, FIRST, chain_key=KEY, at=START) is RefreshRefusal.REUSED


def test_a_made_up_token_is_unknown_however_many_were_exchanged() -> None:
    session, secret = a_session(), FIRST
    for _ in range(5):
        step = renewed(session, secret, at=START)
        session, secret = step.session, step.secret
    assert refresh(session, b"\x02" * 32, chain_key=KEY, at=START) is RefreshRefusal.UNKNOWN


def test_without_the_key_an_old_token_yields_no_successor() -> None:
    first = renewed(a_session(), FIRST, at=START)
    assert refresh(first.session, FIRST, chain_key=bytes(32), at=START) is RefreshRefusal.UNKNOWN


def test_the_same_secret_in_another_session_has_another_successor() -> None:
    other = new_session(UUID(int=8), UserId(UUID(int=1)), FIRST, at=START)
    assert renewed(a_session(), FIRST, at=START).secret != renewed(other, FIRST, at=START).secret


def test_idle_and_absolute_time_end_a_session() -> None:
    idle = timedelta(minutes=30)
    assert isinstance(refresh(a_session(), FIRST, chain_key=KEY, at=START + idle), Renewed)
    over = START + idle + timedelta(microseconds=1)
    assert refresh(a_session(), FIRST, chain_key=KEY, at=over) is RefreshRefusal.EXPIRED
    busy = replace(a_session(), rotated_at=START + timedelta(hours=11, minutes=59))
    just_before = START + timedelta(hours=12) - timedelta(microseconds=1)
    assert isinstance(refresh(busy, FIRST, chain_key=KEY, at=just_before), Renewed)
    assert refresh(busy, FIRST, chain_key=KEY, at=START + timedelta(hours=12)) is RefreshRefusal.EXPIRED


def test_an_ended_session_stays_ended() -> None:
    ended = replace(a_session(), ended_at=START)
    assert refresh(ended, FIRST, chain_key=KEY, at=START) is RefreshRefusal.ENDED
    assert refresh(ended, b"\x02" * 32, chain_key=KEY, at=START) is RefreshRefusal.UNKNOWN


@given(st.uuids(), st.binary(min_size=32, max_size=32))
def test_a_token_is_read_back_as_it_was_written(session_id: UUID, secret: bytes) -> None:
    assert parse_refresh_token(refresh_token_text(session_id, secret)) == (session_id, secret)


@pytest.mark.parametrize(
    "text", ["", "alr_", "alr_" + "A" * 63, "alr_" + "A" * 65, "alr_" + "A" * 63 + "+", "xyz_" + "A" * 64]
)
def test_what_has_not_the_form_of_a_token_is_none(text: str) -> None:
    assert parse_refresh_token(text) is None


def test_neither_session_nor_outcome_shows_a_secret() -> None:
    outcome = renewed(a_session(), FIRST, at=START)
    assert repr(FIRST)[2:-1] not in repr(outcome)
    assert repr(outcome.secret) not in repr(outcome)
    assert repr(outcome.session.token_hash) not in repr(outcome)


class Chain(RuleBasedStateMachine):
    """A client and the service exchange tokens; a thief keeps copies of old ones."""

    def __init__(self) -> None:
        super().__init__()
        self.session = a_session()
        self.issued = [FIRST]
        self.at = START

    @rule(seconds=st.integers(min_value=0, max_value=60))
    def wait(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @rule()
    def exchange_the_valid_token(self) -> None:
        outcome = refresh(self.session, self.issued[-1], chain_key=KEY, at=self.at)
        if self.at >= self.session.expires_at or self.at - self.session.rotated_at > timedelta(minutes=30):
            assert outcome is RefreshRefusal.EXPIRED
            return
        assert isinstance(outcome, Renewed)
        assert outcome.secret not in self.issued
        self.session = outcome.session
        self.issued.append(outcome.secret)

    @rule(back=st.integers(min_value=2, max_value=30))
    def present_an_older_token(self, back: int) -> None:
        if back > len(self.issued):
            return
        outcome = refresh(self.session, self.issued[-back], chain_key=KEY, at=self.at)
        if isinstance(outcome, Renewed):
            assert back == 2
            assert self.at - self.session.rotated_at <= timedelta(seconds=10)
            assert outcome.secret == self.issued[-1]
        else:
            assert outcome is not RefreshRefusal.UNKNOWN

    @rule(secret=st.binary(min_size=32, max_size=32))
    def guess(self, secret: bytes) -> None:
        assert refresh(self.session, secret, chain_key=KEY, at=self.at) is RefreshRefusal.UNKNOWN

    @invariant()
    def one_token_is_valid(self) -> None:
        assert self.session.token_hash == hash_secret(self.issued[-1])
        assert self.session.rotations == len(self.issued) - 1


TestChain = Chain.TestCase
