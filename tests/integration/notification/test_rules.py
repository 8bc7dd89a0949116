"""Rules and quiet hours: what leaves by a channel, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest

from alphintra.contracts.notification import (
    ListMessages,
    RemoveChannel,
    SetRules,
    SetSchedule,
)
from alphintra.kernel.errors import AlphintraError
from fixtures.single_service import acting
from integration.notification.receivers import (
    ADA,
    BOB,
    Opening,
    Receiver,
)

if TYPE_CHECKING:
    from fixtures.postgres import ServiceDatabase


async def test_what_leaves_is_what_the_rules_say(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    wanted = {"info": ["info", "critical"], "warning": ["critical"], "critical": ["critical"], "off": []}
    for least, severities in wanted.items():
        rules = {"feeds": least}
        changed = await desk.channels.set_rules(SetRules(channel_id=added.channel.channel_id, rules=rules), acting(ADA))
        assert (changed.rules["feeds"], changed.rules["fills"]) == (least, "warning")
        for status in ("finished", "failed"):
            await desk.happen(ADA, status=status)
        while await desk.sender.send_due():
            pass
        assert [msgspec.json.decode(call.body)["data"]["severity"] for call in receiver.calls] == severities
        receiver.calls.clear()
    for rules in ({"weather": "info"}, {"feeds": "sometimes"}):
        with pytest.raises(AlphintraError, match="FIELD_VALUE"):
            await desk.channels.set_rules(SetRules(channel_id=added.channel.channel_id, rules=rules), acting(ADA))


async def test_news_waits_for_the_end_of_quiet_hours_and_what_is_critical_does_not(
    opening: Opening, receiver: Receiver
) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    await desk.channels.set_rules(SetRules(channel_id=added.channel.channel_id, rules={"feeds": "info"}), acting(ADA))
    # In Berlin clocks go from 02:00 to 03:00 that night: it is 01:30, and 07:00 is four and a half hours away.
    desk.clock.at = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    hours = SetSchedule(time_zone="Europe/Berlin", quiet_from="22:00", quiet_to="07:00")
    await desk.channels.set_schedule(hours, acting(ADA))
    await desk.happen(ADA, status="finished")
    await desk.happen(ADA, status="failed")
    while await desk.sender.send_due():
        pass
    assert [msgspec.json.decode(call.body)["data"]["severity"] for call in receiver.calls] == ["critical"]
    desk.clock.at = datetime(2026, 3, 29, 4, 59, tzinfo=UTC)
    assert await desk.sender.send_due() == 0
    desk.clock.at = datetime(2026, 3, 29, 5, 0, tzinfo=UTC)
    assert await desk.sender.send_due() == 1
    # What waits is looked at anew when quiet hours change.
    desk.clock.at = datetime(2026, 3, 29, 22, 0, tzinfo=UTC)
    await desk.happen(ADA, status="finished")
    await desk.sender.send_due()
    assert len(receiver.calls) == 2
    await desk.channels.set_schedule(SetSchedule(time_zone="UTC"), acting(ADA))
    await desk.sender.send_due()
    assert len(receiver.calls) == 3


async def test_who_is_muted_gets_what_is_critical_alone(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    await desk.channels.set_rules(SetRules(channel_id=added.channel.channel_id, rules={"feeds": "info"}), acting(ADA))
    until = desk.clock.now() + timedelta(hours=1)
    await desk.channels.set_schedule(SetSchedule(time_zone="UTC", muted_until=until), acting(ADA))
    for status in ("finished", "failed"):
        await desk.happen(ADA, status=status)
    desk.clock.pass_time(seconds=3600)
    await desk.happen(ADA, status="finished")
    while await desk.sender.send_due():
        pass
    severities = [msgspec.json.decode(call.body)["data"]["severity"] for call in receiver.calls]
    assert severities == ["critical", "info"]
    assert (await desk.events.list_messages(ListMessages(), acting(ADA))).unread == 3


async def test_a_removed_channel_is_forgotten_with_its_address_and_secret(
    opening: Opening, receiver: Receiver, database: ServiceDatabase
) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    await desk.happen(ADA)
    with pytest.raises(AlphintraError, match="CHANNEL_NOT_FOUND"):
        await desk.channels.remove_channel(RemoveChannel(channel_id=added.channel.channel_id), acting(BOB))
    await desk.channels.remove_channel(RemoveChannel(channel_id=added.channel.channel_id), acting(ADA))
    assert await desk.sender.send_due() == 0
    assert [entry.state for entry in await desk.log(ADA)] == ["withdrawn"]
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        await connection.execute("set search_path to notification_schema")
        assert await connection.fetchval("select count(*) from channel_secrets") == 0
        assert await connection.fetchval("select address from channels") == ""
    finally:
        await connection.close()
    await desk.add(ADA, "webhook", receiver.url)  # the name is free again
    with pytest.raises(AlphintraError, match="NAME_TAKEN"):
        await desk.add(ADA, "webhook", receiver.url)
