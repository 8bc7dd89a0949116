"""Connections of live accounts, their encrypted credentials, their breaks: rows to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.links import Break, Environment, Link, LinkStatus
from alphintra.infrastructure.envelope import Sealed
from alphintra.kernel.ids import AccountId

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from alphintra.broker.domain.reports import Finding
    from alphintra.infrastructure.postgres import Record, Session
    from alphintra.kernel.ids import UserId

__all__ = ["LinkRows"]


class LinkRows:
    """Connections, credentials and breaks as one session sees and changes them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def add(self, account_id: AccountId, owner_id: UserId, *, starting_cash: Decimal, at: datetime) -> None:
        """Store the way of a new live account; what is there stays."""
        await self.session.execute("links.insert", account_id, owner_id, starting_cash, at)

    async def get(self, account_id: AccountId) -> Link | None:
        """Read a connection."""
        return _link(await self.session.row("links.get", account_id))

    async def lock(self, account_id: AccountId) -> Link | None:
        """Read a connection and hold it."""
        return _link(await self.session.row("links.lock", account_id))

    async def of_owner(self, owner_id: UserId | None) -> tuple[Link, ...]:
        """Read a person's connections, everybody's for None."""
        return _links(await self.session.rows("links.list", owner_id))

    async def active(self) -> tuple[Link, ...]:
        """Read the connections whose venue is to be spoken to."""
        return _links(await self.session.rows("links.active"))

    async def set_address(self, link: Link) -> None:
        """Store where a connection leads and with which credentials."""
        await self.session.execute(
            "links.address",
            link.account_id,
            link.adapter,
            link.exchange,
            link.environment,
            link.base_url,
            link.credentials_version,
            link.key_hint,
        )

    async def turn(self, account_id: AccountId, status: LinkStatus, reason: str, *, at: datetime) -> None:
        """Store a connection's new state."""
        await self.session.execute("links.turn", account_id, status, reason, at)

    async def seen(self, account_id: AccountId, until: datetime) -> None:
        """Remember up to which execution time the venue's executions are known."""
        await self.session.execute("links.seen", account_id, until)

    async def reconciled(self, account_id: AccountId, *, at: datetime) -> None:
        """Remember when venue and books were last compared to the end."""
        await self.session.execute("links.reconciled", account_id, at)

    async def put_credentials(self, account_id: AccountId, sealed: Sealed, *, at: datetime) -> None:
        """Store encrypted credentials in place of earlier ones."""
        await self.session.execute(
            "link_credentials.put",
            account_id,
            sealed.version,
            sealed.kek_version,
            sealed.wrapped_key,
            sealed.ciphertext,
            at,
        )

    async def credentials(self, account_id: AccountId) -> Sealed | None:
        """Read encrypted credentials."""
        row = await self.session.row("link_credentials.get", account_id)
        return None if row is None else Sealed(**row)

    async def under_older_key(self, version: int) -> tuple[tuple[AccountId, Sealed], ...]:
        """Read and hold the credentials whose data key another version than this wraps."""
        found = []
        for row in await self.session.rows("link_credentials.under_older", version):
            fields = dict(row)
            found.append((AccountId(fields.pop("account_id")), Sealed(**fields)))
        return tuple(found)

    async def forget_credentials(self, account_id: AccountId) -> None:
        """Delete encrypted credentials."""
        await self.session.execute("link_credentials.delete", account_id)

    async def open_break(self, break_id: UUID, account_id: AccountId, finding: Finding, *, at: datetime) -> bool:
        """Store a finding as an open break; False if it was found before."""
        opened = await self.session.value(
            "breaks.insert",
            break_id,
            account_id,
            finding.code,
            finding.key,
            finding.symbol,
            finding.order_id,
            finding.detail,
            at,
        )
        return opened is not None

    async def breaks(self, account_id: AccountId, *, is_open: bool, limit: int) -> tuple[Break, ...]:
        """Read breaks, newest first."""
        return tuple(Break(**row) for row in await self.session.rows("breaks.list", account_id, is_open, limit))

    async def lock_break(self, break_id: UUID) -> Break | None:
        """Read a break and hold it."""
        row = await self.session.row("breaks.get", break_id)
        return None if row is None else Break(**row)

    async def resolve(self, break_id: UUID, *, by: str, resolution: str, at: datetime) -> None:
        """Close a break."""
        await self.session.execute("breaks.resolve", break_id, at, by, resolution)

    async def open_codes(self, account_id: AccountId) -> frozenset[str]:
        """Return the codes of an account's open breaks."""
        return frozenset(row["code"] for row in await self.session.rows("breaks.open_codes", account_id))


def _link(row: Record | None) -> Link | None:
    if row is None:
        return None
    fields = dict(row)
    fields["environment"] = Environment(fields["environment"])
    fields["status"] = LinkStatus(fields["status"])
    return Link(**fields)


def _links(rows: Sequence[Record]) -> tuple[Link, ...]:
    return tuple(link for row in rows if (link := _link(row)) is not None)
