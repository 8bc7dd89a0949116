"""The stream that surveillance looks at, parameters and cases in the risk database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.surveillance.cases import Case, CaseOutcome, CaseState
from alphintra.risk.domain.surveillance.parameters import Parameters
from alphintra.risk.domain.surveillance.stream import Action, ActionKind

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Record, Session

__all__ = ["CaseStep", "MessageCount", "SurveillanceRecords", "SurveillanceTransaction", "Taken"]

Pair = tuple[UUID, str]
_KINDS = {kind.value: kind for kind in ActionKind}  # a look at a busy symbol reads thousands of rows
_SIDES = {side.value: side for side in Side}
_TYPES = {type_.value: type_ for type_ in OrderType}
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode
_decode_values = msgspec.json.Decoder(dict[str, Decimal]).decode


@dataclass(frozen=True, slots=True)
class Taken:
    """An action just taken up: whose it is, and when its copy came."""

    owner_id: UUID
    account_id: UUID
    symbol: str
    kind: str
    execution_id: str
    happened_at: datetime
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class MessageCount:
    """Messages and trades of an account in a symbol."""

    account_id: UUID
    symbol: str
    messages: int
    trades: int


@dataclass(frozen=True, slots=True)
class CaseStep:
    """What somebody did to a case."""

    step: int
    at: datetime
    actor: str
    action: str
    state: str
    reason: str


class SurveillanceTransaction:
    """Changes to stream, parameters and cases inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def copy(self, actions: Sequence[Action], *, at: datetime) -> None:
        """Store copies of actions, each event's once."""
        await self.session.execute(
            "stream.insert",
            [action.event_id for action in actions],
            [action.happened_at for action in actions],
            [action.kind for action in actions],
            [action.owner_id for action in actions],
            [action.account_id for action in actions],
            [action.order_id for action in actions],
            [action.symbol for action in actions],
            [action.side for action in actions],
            [action.type for action in actions],
            [action.qty for action in actions],
            [action.price for action in actions],
            [action.execution_id for action in actions],
            [action.venue_at for action in actions],
            at,
        )

    async def take(self, *, count_max: int) -> tuple[Taken, ...]:
        """Mark actions as seen and return them."""
        return tuple(Taken(**row) for row in await self.session.rows("stream.take", count_max))

    async def of_person(self, pair: Pair, *, since: datetime, until: datetime, count_max: int) -> list[Action]:
        """Read the newest actions of a person in a symbol within a time, in order."""
        rows = await self.session.rows("stream.of_people", [pair[0]], [pair[1]], since, until, count_max)
        return [_action(row) for row in reversed(rows)]

    async def ratios(self, pairs: Sequence[Pair], *, since: datetime) -> tuple[MessageCount, ...]:
        """Count messages and trades by account and symbol since a time."""
        owners, symbols = [owner for owner, _symbol in pairs], [symbol for _owner, symbol in pairs]
        return tuple(MessageCount(**row) for row in await self.session.rows("stream.ratios", owners, symbols, since))

    async def parameters(self) -> dict[str, Parameters]:
        """Read the parameters in force."""
        return {row["detector"]: _parameters(row) for row in await self.session.rows("parameters.current")}

    async def add_parameters(self, parameters: Parameters) -> None:
        """Store a version of parameters, unless it is there."""
        await self.session.execute(
            "parameters.insert",
            parameters.detector,
            parameters.version,
            _encode(dict(parameters.values)).decode(),
            parameters.reason,
            parameters.set_by,
            parameters.set_at,
            parameters.review_due,
        )

    async def open_case(self, case: Case, *, anchor: UUID, evidence: str, digest: bytes) -> bool:
        """Open a case; False if there is one of the same detector and anchor."""
        found = await self.session.value(
            "cases.open",
            case.case_id,
            case.detector,
            case.parameter_version,
            anchor,
            case.owner_id,
            case.symbol,
            case.summary,
            case.first_at,
            case.last_at,
            evidence,
            digest,
            case.opened_at,
        )
        return found is not None

    async def lock_case(self, case_id: UUID) -> Case | None:
        """Read a case to change it."""
        row = await self.session.row("cases.lock", case_id)
        return None if row is None else _case(row)

    async def save_case(self, case: Case) -> None:
        """Store a changed case."""
        await self.session.execute(
            "cases.save",
            case.case_id,
            case.state,
            case.reviewer,
            case.proposed_by,
            case.outcome,
            case.reason,
            case.closed_by,
            case.closed_at,
            case.version,
        )

    async def add_step(self, case_id: UUID, step: CaseStep) -> None:
        """Note what was done to a case."""
        await self.session.execute(
            "case_steps.insert", case_id, step.step, step.at, step.actor, step.action, step.state, step.reason
        )

    async def evidence(self, case_id: UUID) -> tuple[str, bytes, tuple[CaseStep, ...]]:
        """Read what a case rests on, its digest, and what was done to it."""
        row = await self.session.row("cases.evidence", case_id)
        steps = await self.session.rows("case_steps.list", case_id)
        text, digest = ("[]", b"") if row is None else (row["evidence"], row["evidence_sha256"])
        return text, digest, tuple(CaseStep(**step) for step in steps)


class SurveillanceRecords:
    """Reads of stream and cases, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SurveillanceTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield SurveillanceTransaction(session)

    async def cases(self, *, state: str | None, but_not: UUID | None, count_max: int) -> tuple[Case, ...]:
        """Read cases, newest first, none about the person named."""
        async with self._database.session() as session:
            return tuple(_case(row) for row in await session.rows("cases.list", state, but_not, count_max))

    async def within(self, since: datetime, until: datetime, *, count_max: int) -> list[Action]:
        """Read everybody's actions within a time, in order."""
        async with self._database.session() as session:
            return [_action(row) for row in await session.rows("stream.of_time", since, until, count_max)]

    async def known(self, detector: str, anchors: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return the cases of a detector by their anchors."""
        async with self._database.session() as session:
            rows = await session.rows("cases.known", detector, anchors)
        return {row["anchor"]: row["case_id"] for row in rows}


def _action(row: Record) -> Action:
    return Action(**{**row, "kind": _KINDS[row["kind"]], "side": _SIDES[row["side"]], "type": _TYPES[row["type"]]})


def _case(row: Record) -> Case:
    outcome = None if row["outcome"] is None else CaseOutcome(row["outcome"])
    return Case(**{**row, "state": CaseState(row["state"]), "outcome": outcome})


def _parameters(row: Record) -> Parameters:
    return Parameters(
        detector=row["detector"],
        version=row["version"],
        values=_decode_values(row["parameters"]),
        reason=row["reason"],
        set_by=row["set_by"],
        set_at=row["set_at"],
        review_due=row["review_due"],
    )
