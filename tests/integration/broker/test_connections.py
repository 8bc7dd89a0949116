"""The life of a live account's connection: added, tested, reconciled, its keys rotated, closed; and its breaks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from alphintra.broker.domain.links import KeyRights, hint_of
from alphintra.broker.gateways.alpaca import AlpacaVenue
from alphintra.contracts.broker import (
    CheckConnection,
    CloseConnection,
    GetConnection,
    ListBreaks,
    ReconcileConnection,
    ResolveBreak,
    RotateConnectionKeys,
)
from alphintra.infrastructure.envelope import parse_keys
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from fixtures.services import operator_context, person_context
from fixtures.venue.server import KEY_ID, SECRET
from fixtures.waiting import until
from integration.broker.desk import new_id
from integration.broker.live_desk import KEYS

if TYPE_CHECKING:
    from integration.broker.desk import Desk
    from integration.broker.live_desk import LiveDesk

NEWER = "2:OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg="
TABLES = ("links", "link_credentials", "event_log", "audit_events", "breaks", "live_orders")


async def refusal(awaitable: Any) -> str:  # noqa: ANN401 - any coroutine
    with pytest.raises(AlphintraError) as refused:
        await awaitable
    return refused.value.code


async def test_a_live_account_waits_for_its_connection_and_trades_after_it(live_desk: LiveDesk) -> None:
    await live_desk.open_account()
    early = await live_desk.place()
    assert [name for name, _ in await live_desk.events()] == ["order_refused"]
    assert await live_desk.status(early.order_id) == ""
    view = await live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)
    assert (view.status, view.environment) == ("reconciling", "paper")
    assert view.capabilities is not None
    assert "trailing_stop" in view.capabilities.types
    async with live_desk.keeper():
        await live_desk.link_reaches("open")


async def test_a_paper_account_can_have_no_credentials(desk: Desk, live_desk: LiveDesk) -> None:
    command = live_desk.wanted(account_id=desk.account_id)
    assert await refusal(live_desk.links.add_connection(command, live_desk.owner)) == "CONNECTION_NOT_FOUND"
    assert await live_desk.rows("select 1 from link_credentials") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"adapter": "telegraph"}, "ADAPTER_UNKNOWN"),
        ({"environment": "both"}, "FIELD_VALUE"),
        ({"environment": "live"}, "CONFIRM_REQUIRED"),
        ({"base_url": "http://example.org"}, "URL_FORBIDDEN"),
        ({"credentials": {"key_id": KEY_ID}}, "CREDENTIALS_INCOMPLETE"),
    ],
)
async def test_a_connection_that_cannot_be_is_refused_and_nothing_stored(
    live_desk: LiveDesk, changes: dict[str, Any], code: str
) -> None:
    await live_desk.open_account()
    assert await refusal(live_desk.links.add_connection(live_desk.wanted(**changes), live_desk.owner)) == code
    assert await live_desk.rows("select 1 from link_credentials") == []
    assert await live_desk.link_status() == "pending"


async def _may_withdraw(_venue: AlpacaVenue) -> KeyRights:
    return KeyRights(may_trade=True, may_withdraw=True)


async def _may_not_withdraw(_venue: AlpacaVenue) -> KeyRights:
    return KeyRights(may_trade=True, may_withdraw=False)


async def test_a_key_that_may_withdraw_is_refused_and_not_stored(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_desk.open_account()
    monkeypatch.setattr(AlpacaVenue, "rights", _may_withdraw, raising=False)
    assert await refusal(live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)) == "KEY_MAY_WITHDRAW"
    assert await live_desk.rows("select 1 from link_credentials") == []
    assert await live_desk.link_status() == "pending"


async def test_a_key_whose_venue_tells_its_rights_late_is_refused_before_anything_is_sent(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_desk.connect()
    monkeypatch.setattr(AlpacaVenue, "rights", _may_withdraw, raising=False)
    await live_desk.place()
    async with live_desk.keeper():
        await live_desk.link_reaches("expired")
    assert "withdraw" in (await live_desk.rows("select reason from links"))[0]["reason"]
    assert live_desk.venue.market.placed == 0
    command = CheckConnection(account_id=live_desk.account_id)
    assert (await live_desk.links.check_connection(command, live_desk.owner)).code == "KEY_MAY_WITHDRAW"


async def test_a_test_of_a_connection_tells_the_rights_of_its_key_where_the_venue_does(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_desk.connect()
    command = CheckConnection(account_id=live_desk.account_id)
    untold = await live_desk.links.check_connection(command, live_desk.owner)
    monkeypatch.setattr(AlpacaVenue, "rights", _may_not_withdraw, raising=False)
    told = await live_desk.links.check_connection(command, live_desk.owner)
    assert (untold.is_ok, untold.may_trade, untold.may_withdraw) == (True, None, None)
    assert (told.is_ok, told.may_trade, told.may_withdraw) == (True, True, False)


async def test_environment_and_adapter_never_change(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    again = live_desk.wanted(environment="live", confirm="live")
    assert await refusal(live_desk.links.add_connection(again, live_desk.owner)) == "CONNECTION_FIXED"


async def test_another_persons_connection_is_not_found(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    stranger = person_context("trader", user_id=new_id())
    account_id = live_desk.account_id
    for attempt in (
        live_desk.links.add_connection(live_desk.wanted(), stranger),
        live_desk.links.check_connection(CheckConnection(account_id=account_id), stranger),
        live_desk.links.close_connection(CloseConnection(account_id=account_id), stranger),
        live_desk.links.reconcile_connection(ReconcileConnection(account_id=account_id), stranger),
        live_desk.links.list_breaks(ListBreaks(account_id=account_id), stranger),
        live_desk.endpoints.get_connection(GetConnection(account_id=account_id), stranger),
    ):
        assert await refusal(attempt) == "CONNECTION_NOT_FOUND"


async def test_a_connection_is_tested_without_changing_anything(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    command = CheckConnection(account_id=live_desk.account_id)
    good = await live_desk.links.check_connection(command, live_desk.owner)
    live_desk.venue.is_refusing_keys = True
    bad = await live_desk.links.check_connection(command, live_desk.owner)
    assert (good.is_ok, good.cash, bad.is_ok, bad.code) == (True, Decimal(100_000), False, "VENUE_AUTH")


async def test_the_secret_is_nowhere_but_encrypted(live_desk: LiveDesk) -> None:
    with structlog.testing.capture_logs() as logged:
        await live_desk.connect()
        async with live_desk.keeper():
            await live_desk.link_reaches("open")
            live_desk.venue.is_refusing_keys = True
            await live_desk.venue.disconnect()
            await live_desk.link_reaches("expired")
    stored = [str(dict(row)) for table in TABLES for row in await live_desk.rows(f"select * from {table}")]  # noqa: S608 - names of this file
    seen = "\n".join([*stored, str(logged), repr(live_desk.wanted()), str(live_desk.wanted())])
    assert "link_credentials" not in seen
    assert len(stored) > len(TABLES)
    assert SECRET not in seen
    assert SECRET.encode().hex() not in seen


async def test_rotated_keys_open_what_older_ones_sealed_and_the_older_is_not_needed_after(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    live_desk.keys[0] = f"{NEWER},{KEYS}"
    assert await refusal(live_desk.links.rotate_keys(RotateConnectionKeys(), live_desk.owner)) == "ROLE_REQUIRED"
    before = await live_desk.rows("select ciphertext from link_credentials")
    rotated = [await live_desk.links.rotate_keys(RotateConnectionKeys(), operator_context()) for _ in range(2)]
    assert [(view.version, view.rewrapped) for view in rotated] == [(2, 1), (2, 0)]
    assert await live_desk.rows("select ciphertext from link_credentials") == before
    live_desk.keys[0] = NEWER
    checked = await live_desk.links.check_connection(CheckConnection(account_id=live_desk.account_id), live_desk.owner)
    assert checked.is_ok
    assert checked.checked_at is not None
    assert checked.latency_ms is not None
    assert 0 <= checked.latency_ms < 60_000
    assert set(parse_keys(NEWER, of="broker's connections")) == {2}


async def test_a_key_is_told_from_others_by_its_last_characters_alone(live_desk: LiveDesk) -> None:
    await live_desk.open_account()
    added = await live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)
    assert (added.credentials_version, added.key_hint) == (1, hint_of(KEY_ID))
    again = await live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)
    assert again.credentials_version == 2


async def test_a_closed_connection_forgets_its_credentials_and_takes_no_orders(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        close = CloseConnection(account_id=live_desk.account_id)
        assert await refusal(live_desk.links.close_connection(close, live_desk.owner)) == "CONNECTION_BUSY"
        await live_desk.cancel(terms.order_id)
        await live_desk.reaches(terms.order_id, "canceled")
        views = [await live_desk.links.close_connection(close, live_desk.owner) for _ in range(2)]
        assert [view.status for view in views] == ["closed", "closed"]
    assert await live_desk.rows("select 1 from link_credentials") == []
    refused = await live_desk.place()
    assert await live_desk.told(refused.order_id) == ["order_refused"]
    assert await refusal(live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)) == "CONNECTION_STATE"


async def test_what_is_at_the_venue_and_not_ours_is_found_once_and_resolved_by_a_person(live_desk: LiveDesk) -> None:
    live_desk.venue.market.positions["MSFT"] = Decimal(5)
    body = {"client_order_id": "by-hand", "symbol": "TSLA", "side": "buy", "type": "limit", "qty": "1"}
    live_desk.venue.market.add({**body, "time_in_force": "gtc", "limit_price": "1"})
    await live_desk.connect()
    async with live_desk.keeper():
        await until(lambda: live_desk.has_breaks(2))
        assert sorted(await live_desk.codes()) == ["EXTERNAL_ORDER", "POSITION_DIFF"]
        waiting = await live_desk.place()
        await live_desk.settles()
        assert await live_desk.status(waiting.order_id) == "queued"
        found = await live_desk.links.list_breaks(ListBreaks(account_id=live_desk.account_id), live_desk.owner)
        for item in found.breaks:
            command = ResolveBreak(break_id=item.break_id, resolution="placed by hand before")
            view = await live_desk.links.resolve_break(command, live_desk.owner)
            assert (view.status, view.resolved_by) == ("resolved", live_desk.owner.actor.id)
        await live_desk.reaches(waiting.order_id, "working")
    assert len(await live_desk.codes()) == 2


async def test_a_second_reconciliation_of_the_same_venue_writes_nothing_but_when_it_was(live_desk: LiveDesk) -> None:
    live_desk.venue.market.cash += 7
    await live_desk.connect()
    live_desk.venue.market.cash -= 2
    live_desk.venue.fills = True
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "filled")
    assert await live_desk.codes() == ["CASH_DIFF"]
    await live_desk.reconciled()
    tables = (*TABLES[1:], "live_executions")
    link = "select to_jsonb(l) - 'reconciled_at' as kept, l.reconciled_at from links as l"
    before, (was,) = await live_desk.fingerprint(*tables), await live_desk.rows(link)
    await live_desk.reconciled()
    assert await live_desk.fingerprint(*tables) == before
    (now,) = await live_desk.rows(link)
    assert (now["kept"], now["reconciled_at"] > was["reconciled_at"]) == (was["kept"], True)


async def test_a_connection_says_when_it_was_last_compared_with_its_venue(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    command = GetConnection(account_id=live_desk.account_id)
    assert (await live_desk.endpoints.get_connection(command, live_desk.owner)).reconciled_at is None
    await live_desk.reconciled()
    found = (await live_desk.endpoints.get_connection(command, live_desk.owner)).reconciled_at
    assert found is not None
    assert abs(SystemClock().now() - found) < timedelta(minutes=1)
