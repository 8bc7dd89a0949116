"""Watchlists: each of one person and one account, changed by that person alone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from alphintra.contracts.user import (
    ChangeWatchlist,
    CreateWatchlist,
    DeleteWatchlist,
    GetWatchlist,
    ListWatchlists,
    WatchlistView,
)
from alphintra.infrastructure.host import Parts
from alphintra.kernel.errors import AlphintraError
from alphintra.user.app import wire
from alphintra.user.service import watchlists
from fixtures.services import RunningService, StartService, operator_context, person_context
from fixtures.single_service import SettableClock

ADA, EVE = person_context("trader", user_id=UUID(int=1)), person_context("trader", user_id=UUID(int=2))
ACCOUNT = UUID(int=7)


@pytest_asyncio.fixture
async def user(start_service: StartService) -> RunningService:
    return await start_service("user", wire, clock=SettableClock(), parts=Parts(background=False))


async def made(user: RunningService, name: str = "Tech", *symbols: str) -> WatchlistView:
    return await user.ask(CreateWatchlist(account_id=ACCOUNT, name=name, symbols=symbols), ADA)


async def refusal(user: RunningService, command: Any, context: Any = ADA) -> str:  # noqa: ANN401 - any command
    with pytest.raises(AlphintraError) as refused:
        await user.ask(command, context)
    return refused.value.code


async def test_a_watchlist_keeps_its_symbols_in_order_and_each_once(user: RunningService) -> None:
    first = await made(user, " Tech ", "MSFT", "AAPL", "MSFT")
    assert (first.name, first.symbols) == ("Tech", ("MSFT", "AAPL"))
    changed = await user.ask(ChangeWatchlist(account_id=ACCOUNT, watchlist_id=first.watchlist_id, added="BTC/USD"), ADA)
    assert changed.symbols == ("MSFT", "AAPL", "BTC/USD")
    changed = await user.ask(ChangeWatchlist(account_id=ACCOUNT, name="Tech", removed="AAPL", new_name="Mixed"), ADA)
    assert (changed.name, changed.symbols) == ("Mixed", ("MSFT", "BTC/USD"))
    assert await user.ask(GetWatchlist(account_id=ACCOUNT, name="Mixed"), ADA) == changed
    assert [one.name for one in (await user.ask(ListWatchlists(account_id=ACCOUNT), ADA)).watchlists] == ["Mixed"]
    await user.ask(DeleteWatchlist(account_id=ACCOUNT, name="Mixed"), ADA)
    assert await refusal(user, GetWatchlist(account_id=ACCOUNT, name="Mixed")) == "WATCHLIST_NOT_FOUND"
    actions = await user.query("select action from audit_events order by audit_id")
    assert [row["action"] for row in actions] == ["watchlist.create", *["watchlist.change"] * 2, "watchlist.delete"]


async def test_a_name_is_used_once_by_an_account_even_at_the_same_time(user: RunningService) -> None:
    command = CreateWatchlist(account_id=ACCOUNT, name="Tech")
    answers = await asyncio.gather(*(user.ask(command, ADA) for _ in range(4)), return_exceptions=True)
    assert [getattr(one, "code", "ok") for one in answers].count("ok") == 1
    await made(user, "Other")
    rename = ChangeWatchlist(account_id=ACCOUNT, name="Other", new_name="Tech")
    assert await refusal(user, rename) == "WATCHLIST_NAME_TAKEN"
    await user.ask(CreateWatchlist(account_id=UUID(int=8), name="Tech"), ADA)
    await user.ask(command, EVE)


async def test_a_key_of_one_account_does_not_reach_the_watchlists_of_another(user: RunningService) -> None:
    mine = await made(user)
    key = msgspec.structs.replace(ADA, actor=msgspec.structs.replace(ADA.actor, account_id=UUID(int=8)))
    for command in (
        CreateWatchlist(account_id=ACCOUNT, name="More"),
        GetWatchlist(account_id=ACCOUNT, watchlist_id=mine.watchlist_id),
        ListWatchlists(account_id=ACCOUNT),
        ChangeWatchlist(account_id=ACCOUNT, watchlist_id=mine.watchlist_id, symbols=()),
        DeleteWatchlist(account_id=ACCOUNT, watchlist_id=mine.watchlist_id),
    ):
        assert await refusal(user, command, key) == "AUTH_SCOPE"
    assert await user.ask(GetWatchlist(account_id=ACCOUNT, name="Tech"), ADA) == mine


async def test_other_peoples_watchlists_are_not_there(user: RunningService) -> None:
    mine = await made(user)
    for command in (
        GetWatchlist(account_id=ACCOUNT, watchlist_id=mine.watchlist_id),
        ChangeWatchlist(account_id=ACCOUNT, watchlist_id=mine.watchlist_id, symbols=()),
        DeleteWatchlist(account_id=ACCOUNT, watchlist_id=mine.watchlist_id),
        DeleteWatchlist(account_id=ACCOUNT),
    ):
        assert await refusal(user, command, EVE) == "WATCHLIST_NOT_FOUND"
    assert await refusal(user, ListWatchlists(account_id=ACCOUNT), operator_context()) == "USER_REQUIRED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"new_name": "  "}, "FIELD_LENGTH"),
        ({"new_name": "x" * 65}, "FIELD_LENGTH"),
        ({"new_name": "a\u0007"}, "FIELD_CHARS"),
        ({"symbols": ("aapl",)}, "ORDER_UNKNOWN_SYMBOL"),
        ({"added": ""}, "ORDER_UNKNOWN_SYMBOL"),
        ({"symbols": tuple(f"S{number}" for number in range(501))}, "FIELD_LENGTH"),
        ({"removed": "MSFT"}, "SYMBOL_NOT_FOUND"),
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(user: RunningService, changes: Any, code: str) -> None:  # noqa: ANN401
    before = await made(user, "Tech", "AAPL")
    assert await refusal(user, ChangeWatchlist(account_id=ACCOUNT, name="Tech", **changes)) == code
    assert await user.ask(GetWatchlist(account_id=ACCOUNT, name="Tech"), ADA) == before


async def test_watchlists_of_a_person_are_bounded(user: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchlists, "WATCHLISTS_MAX", 1)
    await made(user)
    assert await refusal(user, CreateWatchlist(account_id=ACCOUNT, name="Two")) == "WATCHLIST_LIMIT"
