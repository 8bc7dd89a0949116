"""Connections of live accounts: giving them a venue and credentials, testing, closing, and what people see of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import perf_counter
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import msgspec

from alphintra.broker.domain.links import (
    ADAPTERS,
    Environment,
    KeyRights,
    Link,
    LinkStatus,
    hint_of,
    is_active,
    require_address,
    require_harmless,
    skew_of,
)
from alphintra.broker.domain.reports import Applied, LiveStatus, Tale
from alphintra.broker.gateways.vault import Credentials, Vault
from alphintra.broker.gateways.venue import DatingVenue, RightsVenue, VenueError
from alphintra.broker.service.reporting import tell
from alphintra.broker.service.telling import Desk, turn_link
from alphintra.contracts.broker import (
    BreaksView,
    BreakView,
    CapabilitiesView,
    ConnectionCheckView,
    ConnectionOpened,
    ConnectionView,
    KeysRotatedView,
)
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.authority import require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId, UserId
from alphintra.kernel.vocabulary import AccountMode

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.capabilities import Capabilities
    from alphintra.broker.domain.links import Break
    from alphintra.broker.gateways.venue import RemoteVenue
    from alphintra.broker.repository.live import Live, LiveRows
    from alphintra.contracts.broker import (
        AddConnection,
        CheckConnection,
        CloseConnection,
        ListBreaks,
        ReconcileConnection,
        ResolveBreak,
    )
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context

__all__ = [
    "Venues",
    "add_connection",
    "break_view",
    "check_connection",
    "close_connection",
    "link_view",
    "list_breaks",
    "open_link",
    "opened_venue",
    "reconcile_connection",
    "require_reason",
    "resolve_break",
    "rights_of",
    "rotate_keys",
    "visible_link",
]

BREAKS_LIMIT_MAX = 1000
RIGHTS_TIMEOUT_S = 3.0
RESOLUTION_MAX = 1000
_CONFIRMATION = "live"
_DROPPED = {
    LiveStatus.REVIEW: (LiveStatus.REJECTED, Tale.REJECTED),
    LiveStatus.WORKING: (LiveStatus.CANCELED, Tale.CANCELED),
}


class Venues(Protocol):
    """The ways to venues that this installation has."""

    def vault(self) -> Vault:
        """Return the vault under the keys of this installation. Raises KEYS_MISSING or KEYS_UNREADABLE."""
        ...

    async def prepare(self, link: Link) -> None:
        """Have ready what serves a connection, so that the others hold nobody up. Raises as ``connect`` does."""
        ...

    def connect(self, link: Link, credentials: Credentials) -> RemoteVenue:
        """Return the venue a connection leads to. Raises ADAPTER_UNKNOWN, EXCHANGE_UNKNOWN, CREDENTIALS_INCOMPLETE."""
        ...

    def capabilities(self, link: Link) -> Capabilities | None:
        """Return what the venue of a connection can do, None while no adapter is chosen."""
        ...


async def visible_link(account_id: UUID, context: Context, *, live: Live) -> Link | None:
    """Return the connection of a live account the actor may see; None for any other. Raises AUTH_SCOPE."""
    async with live.reading() as rows:
        link = await rows.links.get(AccountId(account_id))
    actor = context.actor
    trusted = "operator" in actor.roles or actor.id.startswith("service:")
    if link is None or not (trusted or link.owner_id == actor.user_id):
        return None
    require_for_account(actor, link.account_id, AccountMode.LIVE)
    return link


async def add_connection(
    command: AddConnection, context: Context, *, live: Live, venues: Venues, ids: IdSource, at: datetime
) -> ConnectionView:
    """Give a live account its venue, or new credentials.

    Raises CONNECTION_NOT_FOUND (also for paper accounts, which have no credentials), CONNECTION_FIXED,
    CONFIRM_REQUIRED, ADAPTER_UNKNOWN, ADAPTER_NOT_INSTALLED, EXCHANGE_UNKNOWN, ENVIRONMENT_UNKNOWN, FIELD_VALUE,
    URL_FORBIDDEN, KEY_MAY_WITHDRAW where the venue says so, and those of the vault; nothing is stored then. A venue
    that does not answer at once is asked for the key's rights before anything is sent to it.
    """
    known = await require_link(command.account_id, context, live=live)
    link = replace(_addressed(known, command), key_hint=hint_of(command.credentials.get("key_id", "")))
    credentials = Credentials(command.credentials)
    await venues.prepare(link)
    await _vet(venues.connect(link, credentials))
    sealed = venues.vault().seal(credentials, link.account_id, version=link.credentials_version)
    desk = Desk(ids, context)
    async with live.transaction() as tx:
        now = await tx.links.lock(link.account_id)
        if now is None or now.credentials_version != known.credentials_version or now.status is not known.status:
            raise AlphintraError("VERSION_CONFLICT", "the connection changed meanwhile: try again", kind=Kind.CONFLICT)
        await tx.links.set_address(link)
        await tx.links.put_credentials(link.account_id, sealed, at=at)
        facts: dict[str, object] = {"adapter": link.adapter, "version": sealed.version, "environment": link.environment}
        what = f"account:{link.account_id}"
        await append_audit(tx.session, "connection.add", what, facts, ids=ids, context=context, at=at)
        reason = "credentials were added: comparing with the venue"
        turned = LinkStatus.RECONCILING if now.status is not LinkStatus.DEGRADED else LinkStatus.DEGRADED
        await turn_link(tx, replace(link, status=now.status), turned, reason=reason, desk=desk, at=at)
        if known.status is LinkStatus.PENDING:
            opened = ConnectionOpened(
                account_id=link.account_id, adapter=link.adapter, capabilities=_capabilities_view(venues, link)
            )
            await append_event(tx.session, opened, ids=ids, aggregate_id=link.account_id, context=context, at=at)
        stored = await tx.links.get(link.account_id)
    return await link_view(stored or link, venues)


async def rights_of(venue: RemoteVenue) -> KeyRights:
    """Ask a venue what its key may do. Raises VenueError where it does not answer, KEY_MAY_WITHDRAW by its answer."""
    rights = await venue.rights() if isinstance(venue, RightsVenue) else KeyRights()
    require_harmless(rights)
    return rights


async def _vet(venue: RemoteVenue) -> None:
    try:
        async with asyncio.timeout(RIGHTS_TIMEOUT_S):
            await rights_of(venue)
    except (TimeoutError, VenueError):
        pass  # the keeper of the connection asks again, and sends nothing before
    finally:
        await venue.close()


async def check_connection(
    command: CheckConnection, context: Context, *, live: Live, venues: Venues, clock: Clock
) -> ConnectionCheckView:
    """Ask the venue for the account's cash and the key's rights; one that does not answer well is an answer.

    The way there and back is timed, and the time the venue says it is held against ours in the middle of it.

    Raises CONNECTION_NOT_FOUND, CREDENTIALS_MISSING and those of the vault.
    """
    link = await require_link(command.account_id, context, live=live)
    async with opened_venue(link, live=live, venues=venues) as venue:
        checked = ConnectionCheckView(
            account_id=link.account_id, is_ok=True, code="", detail="", cash=None, checked_at=clock.now()
        )
        try:
            rights = await rights_of(venue)
            asked_at, began = clock.now(), perf_counter()
            cash = await venue.cash()
        except AlphintraError as error:
            return msgspec.structs.replace(checked, is_ok=False, code=error.code, detail=error.detail)
        took_ms = round((perf_counter() - began) * 1000)
        dated = venue.dated_at if isinstance(venue, DatingVenue) else None
    skew_ms = None if dated is None else skew_of(dated, asked_at + timedelta(milliseconds=took_ms / 2))
    return msgspec.structs.replace(
        checked,
        cash=cash,
        latency_ms=took_ms,
        clock_skew_ms=skew_ms,
        may_trade=rights.may_trade,
        may_withdraw=rights.may_withdraw,
    )


@asynccontextmanager
async def opened_venue(link: Link, *, live: Live, venues: Venues) -> AsyncIterator[RemoteVenue]:
    """Open the way to a connection's venue for a question. Raises CREDENTIALS_MISSING and those of the vault."""
    async with live.reading() as rows:
        sealed = await rows.links.credentials(link.account_id)
    if sealed is None:
        message = "the connection has no credentials: add them first"
        raise AlphintraError("CREDENTIALS_MISSING", message, kind=Kind.CONFLICT, pointer="/account_id")
    await venues.prepare(link)
    venue = venues.connect(link, venues.vault().open(sealed, link.account_id))
    try:
        yield venue
    finally:
        await venue.close()


async def close_connection(
    command: CloseConnection, context: Context, *, live: Live, venues: Venues, ids: IdSource, at: datetime
) -> ConnectionView:
    """End a connection and forget its credentials. Raises CONNECTION_BUSY while orders may work at the venue."""
    link = await require_link(command.account_id, context, live=live)
    async with live.transaction() as tx:
        now = await tx.links.lock(link.account_id) or link
        if now.status is not LinkStatus.CLOSED:
            if await tx.active(link.account_id):
                message = "orders may work at the venue: cancel them first, or resolve the breaks that name them"
                raise AlphintraError("CONNECTION_BUSY", message, kind=Kind.CONFLICT)
            await tx.links.forget_credentials(link.account_id)
            reason = "closed by its owner: credentials are deleted"
            await turn_link(tx, now, LinkStatus.CLOSED, reason=reason, desk=Desk(ids, context), at=at)
        stored = await tx.links.get(link.account_id)
    return await link_view(stored or link, venues)


async def reconcile_connection(
    command: ReconcileConnection, context: Context, *, live: Live, venues: Venues, ids: IdSource, at: datetime
) -> ConnectionView:
    """Have a connection compared with its venue now; its orders wait for the result. Raises CONNECTION_STATE."""
    link = await require_link(command.account_id, context, live=live)
    async with live.transaction() as tx:
        now = await tx.links.lock(link.account_id) or link
        if not is_active(now.status):
            message = f"the connection is {now.status}: there is no venue to compare with"
            raise AlphintraError("CONNECTION_STATE", message, kind=Kind.CONFLICT)
        reason = f"asked for at {at.isoformat(timespec='seconds')}"
        if now.status is not LinkStatus.DEGRADED:
            await turn_link(tx, now, LinkStatus.RECONCILING, reason=reason, desk=Desk(ids, context), at=at)
        stored = await tx.links.get(link.account_id)
    return await link_view(stored or link, venues)


async def rotate_keys(context: Context, *, live: Live, venues: Venues, ids: IdSource, at: datetime) -> KeysRotatedView:
    """Wrap every data key that an older key wraps by the newest. Raises ROLE_REQUIRED and those of the vault."""
    if "operator" not in context.actor.roles and context.actor.id != "operator":
        message = "keys are rotated by an operator"
        raise AlphintraError("ROLE_REQUIRED", message, kind=Kind.FORBIDDEN)
    vault = venues.vault()
    async with live.transaction() as tx:
        older = await tx.links.under_older_key(vault.newest)
        for account_id, sealed in older:
            await tx.links.put_credentials(account_id, vault.rewrap(sealed, account_id), at=at)
        facts: dict[str, object] = {"version": vault.newest, "rewrapped": len(older)}
        await append_audit(tx.session, "connection.rotate_keys", "firm", facts, ids=ids, context=context, at=at)
    return KeysRotatedView(version=vault.newest, rewrapped=len(older))


async def list_breaks(command: ListBreaks, context: Context, *, live: Live) -> BreaksView:
    """Return an account's breaks, newest first. Raises CONNECTION_NOT_FOUND and PAGE_LIMIT."""
    if not 1 <= command.limit <= BREAKS_LIMIT_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must lie between 1 and {BREAKS_LIMIT_MAX}", pointer="/limit")
    link = await require_link(command.account_id, context, live=live)
    async with live.reading() as rows:
        found = await rows.links.breaks(link.account_id, is_open=command.is_open, limit=command.limit)
    return BreaksView(breaks=tuple(break_view(item) for item in found))


async def resolve_break(
    command: ResolveBreak, context: Context, *, live: Live, ids: IdSource, at: datetime
) -> BreakView:
    """Close a break with what a person says; a second time changes nothing.

    Raises BREAK_NOT_FOUND, USER_REQUIRED, FIELD_LENGTH, and BREAK_KEEPS_ORDER where an order without an answer would be
    left behind.
    """
    text = require_reason(command.resolution, pointer="/resolution")
    if context.actor.id.startswith("service:"):
        raise AlphintraError("USER_REQUIRED", "only a person resolves a break", kind=Kind.FORBIDDEN)
    async with live.transaction() as tx:
        found = await tx.links.lock_break(command.break_id)
        if found is None or await visible_link(found.account_id, context, live=live) is None:
            message = f"there is no break {command.break_id}"
            raise AlphintraError("BREAK_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/break_id")
        if found.order_id is not None:
            desk, is_wanted = Desk(ids, context), command.drop_order
            await _drop_order(tx, found, found.order_id, is_wanted=is_wanted, desk=desk, at=at)
        if found.status == "open":
            await tx.links.resolve(found.break_id, by=context.actor.id, resolution=text, at=at)
            facts: dict[str, object] = {"code": found.code, "break_id": found.break_id, "resolution": text}
            what = f"account:{found.account_id}"
            await append_audit(tx.session, "break.resolve", what, facts, ids=ids, context=context, at=at)
            found = await tx.links.lock_break(command.break_id) or found
    return break_view(found)


def require_reason(words: str, *, pointer: str) -> str:
    """Return what a person says about a break, without what surrounds it. Raises FIELD_LENGTH."""
    text = words.strip()
    if not 0 < len(text) <= RESOLUTION_MAX or not text.isprintable():
        message = f"say in 1 to {RESOLUTION_MAX} printable characters what the difference is"
        raise AlphintraError("FIELD_LENGTH", message, pointer=pointer)
    return text


def break_view(item: Break) -> BreakView:
    """Return what people see of a break."""
    return BreakView(
        break_id=item.break_id,
        account_id=item.account_id,
        code=item.code,
        symbol=item.symbol,
        order_id=item.order_id,
        detail=item.detail,
        status=item.status,
        found_at=item.found_at,
        resolved_at=item.resolved_at,
        resolved_by=item.resolved_by,
        resolution=item.resolution,
    )


async def link_view(link: Link, venues: Venues) -> ConnectionView:
    """Return what people see of a connection: nothing of its credentials."""
    with suppress(AlphintraError):  # what cannot be loaded any more has no capabilities
        await venues.prepare(link)
    return ConnectionView(
        account_id=link.account_id,
        adapter=link.adapter,
        feed_id=None,
        status=link.status,
        opened_at=link.opened_at,
        exchange=link.exchange,
        environment=link.environment if link.adapter else "",
        reason=link.reason,
        changed_at=link.changed_at,
        capabilities=_capabilities_view(venues, link),
        key_hint=link.key_hint,
        credentials_version=link.credentials_version,
        seen_at=link.seen_at,
        reconciled_at=link.reconciled_at,
    )


async def open_link(tx: LiveRows, account_id: UUID, owner_id: UUID, *, starting_cash: Decimal, at: datetime) -> None:
    """Take up a new live account; it has no way to a venue before somebody adds one."""
    await tx.links.add(AccountId(account_id), UserId(owner_id), starting_cash=starting_cash, at=at)


async def require_link(account_id: UUID, context: Context, *, live: Live) -> Link:
    """Return a connection the actor may see. Raises CONNECTION_NOT_FOUND."""
    link = await visible_link(account_id, context, live=live)
    if link is None:
        message = f"there is no live account {account_id}: open one with mode live; a paper account has no credentials"
        raise AlphintraError("CONNECTION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/account_id")
    return link


def _addressed(link: Link, command: AddConnection) -> Link:
    """Return the connection with the address and the next version of credentials a person gives it."""
    if link.status is LinkStatus.CLOSED:
        raise AlphintraError("CONNECTION_STATE", "the connection is closed for good", kind=Kind.CONFLICT)
    if command.adapter not in ADAPTERS:
        message = f"there is no adapter {command.adapter[:40]!r}: known are {', '.join(sorted(ADAPTERS))}"
        raise AlphintraError("ADAPTER_UNKNOWN", message, pointer="/adapter")
    try:
        environment = Environment(command.environment)
    except ValueError as error:
        message = f"environment is paper (the venue's test system) or live (money), not {command.environment[:40]!r}"
        raise AlphintraError("FIELD_VALUE", message, pointer="/environment") from error
    given = (command.adapter, command.exchange, environment)
    if link.adapter and given != (link.adapter, link.exchange, link.environment):
        message = "adapter, exchange and environment of a connection never change: open another account"
        raise AlphintraError("CONNECTION_FIXED", message, kind=Kind.CONFLICT, pointer="/adapter")
    if environment is Environment.LIVE and command.confirm != _CONFIRMATION:
        message = f"orders on this connection cost money: confirm it by the word {_CONFIRMATION!r}"
        raise AlphintraError("CONFIRM_REQUIRED", message, pointer="/confirm")
    require_address(command.base_url)
    return replace(
        link,
        adapter=command.adapter,
        exchange=command.exchange,
        environment=environment,
        base_url=command.base_url,
        credentials_version=link.credentials_version + 1,
    )


async def _drop_order(
    tx: LiveRows, found: Break, order_id: OrderId, *, is_wanted: bool, desk: Desk, at: datetime
) -> None:
    """End what of an order the venue does not have, or is done with, at a person's word.

    Executions that come later all the same are booked and flagged, as after any end.
    """
    order = await tx.lock(order_id)
    is_waiting = order is not None and order.status is LiveStatus.REVIEW and found.code == "ORDER_UNRESOLVED"
    if is_waiting and not is_wanted:
        message = "the order still waits for an answer: look at the venue, and say drop_order if it is not there"
        raise AlphintraError("BREAK_KEEPS_ORDER", message, kind=Kind.CONFLICT, pointer="/drop_order")
    if order is None or not is_wanted:
        return
    group = () if order.group_id is None else await tx.group(order.group_id)
    for member in (order, *(part for part in group if part.part_of == order_id)):
        now = await tx.lock(member.order_id) or member  # the end of another may have ended it
        ended = _DROPPED.get(now.status)
        if ended is not None:
            applied = Applied(order=replace(now, status=ended[0]), tales=(ended[1],))
            await tell(tx, applied, desk=desk, at=at, reason=f"not at the venue, says {desk.context.actor.id}")


def _capabilities_view(venues: Venues, link: Link) -> CapabilitiesView | None:
    found = venues.capabilities(link)
    if found is None:
        return None
    return CapabilitiesView(
        types=tuple(sorted(found.types)),
        times_in_force=tuple(sorted(found.times_in_force)),
        order_classes=tuple(sorted(found.order_classes)),
        has_notional=found.has_notional,
        has_fractional=found.has_fractional,
        has_extended_hours=found.has_extended_hours,
        has_replace=found.has_replace,
        has_stream=found.has_stream,
        rejects_duplicates=found.rejects_duplicates,
        visibility_delay_ms=round(found.visibility_delay.total_seconds() * 1000),
        requests_per_minute=found.requests_per_minute,
        finds_by_client_order_id=found.finds_by_client_order_id,
        has_two_exits=found.has_pairs or not found.reserves_closing,
    )
