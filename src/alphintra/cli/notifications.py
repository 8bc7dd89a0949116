"""Notifications on a terminal: the inbox, channels beside it, what leaves by them and what became of it."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from alphintra.cli.output import AS_JSON, moment, print_answer, print_fields, print_json, print_table
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["COMMANDS"]

_SEVERITIES = ("info", "warning", "critical")
_LIMIT = click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many at most.")


@click.group()
def notification() -> None:
    """Messages, and the channels by which they leave."""


@notification.command("list")
@click.option("--severity", type=click.Choice(_SEVERITIES), default=None, help="From this severity on.")
@click.option("--topic", default=None, help="About this topic, e.g. fills; `channels` lists them.")
@click.option("--unread", is_flag=True, help="Those not read yet.")
@click.option("--open", "is_open", is_flag=True, help="Those not acknowledged yet.")
@_LIMIT
@AS_JSON
def list_messages(
    *, severity: str | None, topic: str | None, unread: bool, is_open: bool, limit: int, as_json: bool
) -> int:
    """List your messages, newest first."""
    from alphintra.cli import session

    with session.person() as api:
        narrowed = {"unread_only": "true" if unread else None, "open_only": "true" if is_open else None}
        found = api.get("/messages", severity=severity, topic=topic, limit=limit, **narrowed)
    if as_json:
        print_json(found)
        return 0
    for one in found["messages"]:
        mark = "acknowledged" if one["acknowledged_at"] else "read" if one["read_at"] else "new"
        click.echo(f"{moment(one['created_at'])} {one['severity']} {one['title']} ({mark})")
        click.echo(f"  {one['body']}\n  {one['message_id']}")
    click.echo(f"{found['unread']} unread")
    return 0


@notification.command("acknowledge")
@click.argument("message_ids", nargs=-1, required=True, type=click.UUID)
@AS_JSON
def acknowledge(*, message_ids: tuple[Any, ...], as_json: bool) -> int:
    """Say that messages are taken care of."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.post("/messages/acknowledge", {"message_ids": [str(each) for each in message_ids]})
    print_answer(found, f"{found['acknowledged']} acknowledged, {found['unread']} unread", as_json=as_json)
    return 0


@notification.command("channels")
@AS_JSON
def channels(*, as_json: bool) -> int:
    """List your channels, and from which severity on each topic leaves by them."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/notifications/channels")
    if as_json:
        print_json(found)
        return 0
    print_table(
        ("name", "kind", "address", "status"),
        [(one["name"], one["kind"], one["address"], one["status"]) for one in found["channels"]],
    )
    print_table(
        ("topic", "about", *(one["name"] for one in found["channels"])),
        [
            (each["topic"], each["title"], *(one["rules"][each["topic"]] for one in found["channels"]))
            for each in found["topics"]
        ],
    )
    click.echo(f"mail comes from {found['mail_from']}" if found["mail_from"] else "no mail server is set")
    return 0


@notification.command("add-email")
@click.argument("name")
@click.argument("address")
@AS_JSON
def add_email(*, name: str, address: str, as_json: bool) -> int:
    """Add an e-mail address; a code is sent there."""
    found = _added("email", name, address)
    print_answer(found, f"a code was sent: give it to `alphintra notification confirm {name} CODE`", as_json=as_json)
    return 0


@notification.command("add-webhook")
@click.argument("name")
@click.argument("url")
@AS_JSON
def add_webhook(*, name: str, url: str, as_json: bool) -> int:
    """Add a webhook. Its secret is shown this once."""
    found = _added("webhook", name, url)
    print_answer(found, f"calls are signed by {found['secret']}, which is not shown again", as_json=as_json)
    return 0


@notification.command("confirm")
@click.argument("name")
@click.argument("code")
@AS_JSON
def confirm(*, name: str, code: str, as_json: bool) -> int:
    """Give the code that was sent to an e-mail address."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.post(f"{_path(api, name)}/confirm", {"code": code})
    print_answer(found, f"{name} is {found['status']}", as_json=as_json)
    return 0


@notification.command("test")
@click.argument("name")
@AS_JSON
def send_test(*, name: str, as_json: bool) -> int:
    """Send a test by a channel, and wait for what comes of its first attempt; status 1 if it failed."""
    from alphintra.cli import session
    from alphintra.cli.client import wait_for

    with session.person() as api:
        path = _path(api, name)
        sent = api.post(f"{path}/test")
        query = {"channel_id": path.rpartition("/")[2]}

        def fetch() -> Any:  # noqa: ANN401 - JSON
            found = api.get("/notifications/sendings", **query)["sendings"]
            return next(one for one in found if one["sending_id"] == sent["sending_id"])

        found = wait_for("the first attempt", fetch, lambda one: one["state"] != "due" or bool(one["code"]))
    is_sent = found["state"] == "delivered"
    print_answer(found, "delivered" if is_sent else f"{found['code']}: {found['detail']}", as_json=as_json)
    return 0 if is_sent else 1


@notification.command("rotate-secret")
@click.argument("name")
@AS_JSON
def rotate_secret(*, name: str, as_json: bool) -> int:
    """Draw another secret for a webhook; the one before signs too for a day."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.post(f"{_path(api, name)}/rotate-secret")
    print_answer(found, f"calls are signed by {found['secret']} too, which is not shown again", as_json=as_json)
    return 0


@notification.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def remove(*, name: str, yes: bool, as_json: bool) -> int:
    """Remove a channel; what waits for it is withdrawn."""
    from alphintra.cli import session
    from alphintra.cli.parameters import require_confirmed

    require_confirmed(f"Remove the channel {name}?", is_confirmed=yes)
    with session.person() as api:
        found = api.delete(_path(api, name))
    print_answer(found, f"{name} is removed", as_json=as_json)
    return 0


@notification.command("rule")
@click.argument("name")
@click.argument("topic")
@click.argument("severity", type=click.Choice((*_SEVERITIES, "off")))
@AS_JSON
def rule(*, name: str, topic: str, severity: str, as_json: bool) -> int:
    """Set from which severity on messages about a topic leave by a channel."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.put(f"{_path(api, name)}/rules", {"rules": {topic: severity}})
    print_answer(found, f"{topic} by {name}: {found['rules'][topic]}", as_json=as_json)
    return 0


@notification.command("quiet")
@click.option("--from", "quiet_from", default=None, help="When quiet hours begin, HH:MM.")
@click.option("--to", "quiet_to", default=None, help="When they end, HH:MM.")
@click.option("--zone", default=None, help="Whose clock counts, e.g. Europe/Berlin.")
@click.option("--none", "is_none", is_flag=True, help="No quiet hours.")
@AS_JSON
def quiet(*, quiet_from: str | None, quiet_to: str | None, zone: str | None, is_none: bool, as_json: bool) -> int:
    """Set quiet hours, or show them. What is critical passes."""
    changes = {"quiet_from": quiet_from, "quiet_to": quiet_to, "time_zone": zone}
    if is_none:
        changes |= {"quiet_from": "", "quiet_to": ""}
    _schedule({name: text for name, text in changes.items() if text is not None}, as_json=as_json)
    return 0


@notification.command("mute")
@click.option("--hours", type=click.IntRange(1, 720), default=None, help="For so long.")
@click.option("--off", is_flag=True, help="No longer.")
@AS_JSON
def mute(*, hours: int | None, off: bool, as_json: bool) -> int:
    """Have nothing but what is critical sent for some hours."""
    if (hours is None) == (not off):
        raise AlphintraError("MUTE", "say for how long with --hours, or --off", pointer="--hours")
    until = None if hours is None else (SystemClock().now() + timedelta(hours=hours)).isoformat()
    _schedule({"muted_until": until}, as_json=as_json)
    return 0


@notification.command("sendings")
@click.option("--state", type=click.Choice(["due", "delivered", "given_up", "withdrawn"]), help="Only those.")
@_LIMIT
@AS_JSON
def sendings(*, state: str | None, limit: int, as_json: bool) -> int:
    """List what was and is to be sent to you, newest first."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/notifications/sendings", state=state, limit=limit)
    if as_json:
        print_json(found)
        return 0
    print_table(
        ("time (UTC)", "what", "state", "attempts", "code", "detail"),
        [
            (
                moment(one["created_at"]),
                one["title"] or one["purpose"],
                one["state"],
                one["attempts"],
                one["code"],
                one["detail"],
            )
            for one in found["sendings"]
        ],
    )
    return 0


@notification.command("rotate-keys")
@AS_JSON
def rotate_keys(*, as_json: bool) -> int:
    """Draw a new key of this installation and wrap the secrets of channels by it, without downtime."""
    from alphintra.cli import session
    from alphintra.cli.installation import servers_home
    from alphintra.runtime.credentials import wrapping_keys
    from alphintra.runtime.inspection import provisioned_order
    from alphintra.runtime.provision import write_all_credentials

    home = servers_home()
    order = provisioned_order(home)
    wrapping_keys(home, "notification", with_new=True)
    write_all_credentials(home, order)
    with session.operator() as api:
        found = api.post("/notifications/channels/rotate-keys", {})
    print_answer(
        found, f"key {found['version']} wraps every secret; {found['rewrapped']} were wrapped anew", as_json=as_json
    )
    return 0


def _added(kind: str, name: str, address: str) -> Any:  # noqa: ANN401 - JSON
    from alphintra.cli import session

    with session.person() as api:
        return api.post("/notifications/channels", {"kind": kind, "name": name, "address": address})


def _path(api: Any, name: str) -> str:  # noqa: ANN401 - loaded by the commands
    """Return where the channel of a name lies. Raises CHANNEL_NOT_FOUND."""
    for one in api.get("/notifications/channels")["channels"]:
        if name in {one["name"], one["channel_id"]}:
            return f"/notifications/channels/{one['channel_id']}"
    message = f"you have no channel {name[:64]!r}: `alphintra notification channels` lists them"
    raise AlphintraError("CHANNEL_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="NAME")


def _schedule(changes: dict[str, str | None], *, as_json: bool) -> None:
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/notifications/schedule")
        if changes:
            found = api.put("/notifications/schedule", {**found, **changes})
    if as_json:
        print_json(found)
        return
    hours = f"{found['quiet_from']} to {found['quiet_to']}" if found["quiet_from"] else "none"
    muted = moment(found["muted_until"]) if found["muted_until"] else "no"
    print_fields({"quiet hours": hours, "time zone": found["time_zone"], "muted until": muted})


COMMANDS = (notification,)
