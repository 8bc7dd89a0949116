"""Alerts and their rules in the risk database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alphintra.kernel.ids import AccountId, OrderId
from alphintra.risk.domain.alerts import (
    DEFAULT_RULES,
    Alert,
    AlertRule,
    Raised,
    Refusals,
    RuleName,
    Severity,
)
from alphintra.risk.domain.books import Kill, KillScope, KillState

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import IdSource

__all__ = ["AlertRecords", "AlertTransaction"]


class AlertTransaction:
    """Changes to alerts and rules inside one transaction; ``session`` may be that of another repository."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def rules(self) -> dict[RuleName, AlertRule]:
        """Read the rules in force: the stored ones, and the built-in ones of which none is stored."""
        rows = await self.session.rows("alert_rules.current")
        return {**DEFAULT_RULES, **{RuleName(row["rule"]): _rule(row) for row in rows if row["rule"] in DEFAULT_RULES}}

    async def add_rule(self, rule: AlertRule) -> None:
        """Store a version of a rule."""
        await self.session.execute(
            "alert_rules.insert",
            rule.rule,
            rule.version,
            rule.is_enabled,
            rule.severity,
            rule.threshold,
            rule.repeat_after_s,
            rule.escalate_after_s,
            rule.set_by,
            rule.set_at,
        )

    async def add(self, batch: Sequence[Raised], *, ids: IdSource, at: datetime) -> tuple[Alert, ...]:
        """Store alerts, one for each key; returns those that were not there yet."""
        rows = await self.session.rows(
            "alerts.raise",
            [ids.new() for _one in batch],
            [one.dedupe_key for one in batch],
            [one.rule.rule for one in batch],
            [one.rule.version for one in batch],
            [one.severity for one in batch],
            [one.account_id for one in batch],
            [one.subject for one in batch],
            [one.title for one in batch],
            [one.detail for one in batch],
            [one.happened_at for one in batch],
            [_escalate_at(one.rule, at) for one in batch],
            at,
        )
        return tuple(Alert(**row) for row in rows)

    async def lock(self, alert_id: UUID) -> Alert | None:
        """Read an alert to change it."""
        row = await self.session.row("alerts.lock", alert_id)
        return None if row is None else Alert(**row)

    async def acknowledge(self, alert_id: UUID, *, by: str, note: str, at: datetime) -> None:
        """Note who has taken an alert up."""
        await self.session.execute("alerts.acknowledge", alert_id, by, at, note)

    async def escalate(self, *, count_max: int, at: datetime) -> tuple[Alert, ...]:
        """Mark the alerts nobody acknowledged in time, and return them."""
        return tuple(Alert(**row) for row in await self.session.rows("alerts.escalate", at, count_max))

    async def refusals(self, *, since: datetime) -> tuple[Refusals, ...]:
        """Read what controls refused since a time."""
        return tuple(Refusals(**row) for row in await self.session.rows("alerts.refusals", since))

    async def kills(self, *, since: datetime) -> tuple[Kill, ...]:
        """Read the kill states set since a time."""
        return tuple(_kill(row) for row in await self.session.rows("alerts.kills", since))

    async def account_of(self, order_id: UUID) -> AccountId | None:
        """Read whose order this is, None if risk holds no reservation of it."""
        account_id: AccountId | None = await self.session.value("reservations.account", OrderId(order_id))
        return account_id


class AlertRecords:
    """Reads of alerts, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AlertTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield AlertTransaction(session)

    async def listed(self, *, owner_id: UUID | None, open_only: bool, count_max: int) -> tuple[Alert, ...]:
        """Read alerts, newest first: those about a person's accounts, or all of them for None."""
        async with self._database.session() as session:
            rows = await session.rows("alerts.list", owner_id, open_only, count_max)
        return tuple(Alert(**row) for row in rows)


def _kill(row: Record) -> Kill:
    fields: dict[str, Any] = {**row, "scope": KillScope(row["scope"]), "state": KillState(row["state"])}
    key = fields.pop("key")
    match fields["scope"]:
        case KillScope.USER:
            fields["owner_id"] = UUID(key)
        case KillScope.STRATEGY:
            fields["book_id"] = UUID(key)
        case KillScope.VENUE:
            fields["venue"] = key
        case KillScope.SYMBOL:
            fields["symbol"] = key
        case _:
            pass
    return Kill(**fields)


def _rule(row: Record) -> AlertRule:
    return AlertRule(**{**row, "rule": RuleName(row["rule"]), "severity": Severity(row["severity"])})


def _escalate_at(rule: AlertRule, at: datetime) -> datetime | None:
    return at + timedelta(seconds=rule.escalate_after_s) if rule.escalate_after_s else None
