"""Runs the probes: every service's own credential against every service, without leaving a trace.

Each statement runs in a transaction that is rolled back, or cannot match a row, or fails by its making right after
the privilege is checked; sessions are the attacker's own, or decoys that log in as the victim and do nothing. Waits
for locks and statements are bounded.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.attack.connections import FAILURES, Session, close, code_of, connect, text_of
from alphintra.dataplane.attack.ground import Ground, names_of, read_ground, targets_of
from alphintra.dataplane.attack.model import Answer, Attack, Place, Result
from alphintra.dataplane.matrix import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["Raider", "Town", "raid"]

_UNKNOWN_PASSWORD: Final = "28P01"  # noqa: S105 - an SQLSTATE
_NO_RIGHTS_NOTICES: Final = frozenset({"01007", "01006"})  # privilege not granted, not revoked: said as a warning
_LANDMARKS: Final = ("decoy_pid", "role_oid", "schema_oid", "database_oid", "a_table_oid")


@dataclass(slots=True, kw_only=True)
class Town:
    """What all attackers of a run share.

    Attributes:
        grounds: by instance.
        layout: where each service lives.
        passwords: gives a role's own secret.
        token: name of this run; whatever a probe would make bears it.
        decoys: process id of a waiting session of each service, by service; 0 where it could not log in.
    """

    grounds: Mapping[str, Ground]
    layout: Sequence[Placement]
    passwords: Passwords
    token: str
    decoys: dict[str, int] = field(default_factory=dict)

    def server_of(self, placement: Placement) -> Server:
        """Return the server a service lives on."""
        return self.grounds[placement.instance].server


class Raider:
    """One attacker: its sessions, and the answers it got before to the very same statement."""

    def __init__(self, town: Town, attacker: Placement) -> None:
        self.town = town
        self.attacker = attacker
        self._sessions: dict[tuple[str, str], Session | Answer] = {}
        self._answers: dict[tuple[str, str, str], Answer] = {}

    async def run(self, attack: Attack, victim: Placement) -> Answer:
        """Try one probe on one victim; the same statement in the same session is tried once."""
        if attack.tactic is not None:
            try:
                return await attack.tactic(self, attack, victim)
            except FAILURES as error:
                return Answer(outcome=Outcome.ERROR, code=code_of(error), text=text_of(error))
        targets = targets_of(attack.each, self.town.grounds, self.attacker, victim)
        if not targets:
            return Answer(outcome=Outcome.DENIED, text=f"{victim.service} has nothing of the kind to try it on")
        names = self.names(victim)
        if absent := next((key for key in _LANDMARKS if f"{{{key}}}" in attack.sql and names[key] == "0"), None):
            text = f"there is no {absent} of {victim.service} to tell by"
            return Answer(outcome=Outcome.ERROR, text=text)
        answers: list[Answer] = []
        for target in targets:
            answer = await self._once(attack, victim, attack.sql.format_map({**names, **target}))
            if answer.outcome in {Outcome.ALLOWED, Outcome.LEAKS}:
                return answer
            answers.append(answer)
            if answer.text.startswith("permission denied for schema") and attack.each in {"table", "column"}:
                break  # every name in that schema is refused at the same door
        return next((answer for answer in answers if answer.outcome is Outcome.ERROR), answers[0])

    def names(self, victim: Placement) -> dict[str, str]:
        """Return what the braces of a statement against the victim stand for."""
        town = self.town
        return names_of(
            town.grounds, self.attacker, victim, decoy_pid=town.decoys.get(victim.service, 0), token=town.token
        )

    async def session(self, place: Place, victim: Placement) -> Session | Answer:
        """Return the attacker's session at a place, or how it was refused there."""
        match place:
            case Place.DATABASE:
                where = victim
            case Place.INSTANCE:
                where = self.attacker if self.attacker.instance == victim.instance else victim
            case Place.SELF | Place.DOOR:
                where = self.attacker
        key = (where.instance, where.database)
        found = self._sessions.get(key)
        if found is None or (isinstance(found, Session) and found.connection.is_closed()):
            found = await self.enter(where, where.database)
            if isinstance(found, Answer) and where is self.attacker:
                # A service that cannot log in where it lives was not refused anything: nothing was tried.
                found = replace(found, outcome=Outcome.ERROR)
            self._sessions[key] = found
        return found

    async def enter(
        self,
        where: Placement,
        database: str,
        *,
        role: str = "",
        password: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> Session | Answer:
        """Log in at an instance, as the attacker unless another role is named; a refusal is an answer."""
        ground = self.town.grounds[where.instance]
        role = role or self.attacker.service_role
        try:
            connection = await connect(
                ground.server,
                role=role,
                password=password or self.town.passwords(self.attacker.service_role),
                database=database,
                settings=settings,
            )
        except FAILURES as error:
            return _refused(error, is_known=role in ground.roles)
        session = Session(connection=connection)
        connection.add_log_listener(lambda _, message: session.warnings.append((message.sqlstate, message.message)))
        return session

    async def close(self) -> None:
        """End all sessions within a bound."""
        for session in self._sessions.values():
            if isinstance(session, Session):
                await close(session.connection)

    async def attempt(self, session: Session, attack: Attack, sql: str) -> Answer:
        """Run one statement in a transaction that is rolled back, and judge what came of it."""
        connection = session.connection
        session.warnings.clear()
        try:
            if not attack.is_bare:
                await connection.execute("begin")
            value = await (connection.fetchval(sql) if attack.shows else connection.execute(sql))
        except FAILURES as error:
            return attack.judge_refusal(code_of(error), text_of(error))
        finally:
            if not attack.is_bare and not connection.is_closed():
                with suppress(*FAILURES):
                    await connection.execute("rollback")
        for code, text in session.warnings:
            if code in _NO_RIGHTS_NOTICES or text.startswith("permission denied"):
                return Answer(outcome=Outcome.DENIED, code=code, text=text)
        return attack.judge_value(value)

    async def _once(self, attack: Attack, victim: Placement, sql: str) -> Answer:
        session = await self.session(attack.place, victim)
        if isinstance(session, Answer):
            return session
        where = victim if attack.place is Place.DATABASE else self.attacker
        key = (where.instance, f"{where.database} {attack.name}", sql)
        if key not in self._answers:
            self._answers[key] = await self.attempt(session, attack, sql)
        return self._answers[key]


async def raid(
    servers: Sequence[Server],
    *,
    layout: Sequence[Placement],
    passwords: Passwords,
    catalogue: Sequence[Attack],
    token: str,
    progress: Callable[[float], None] | None = None,
) -> tuple[tuple[Result, ...], Mapping[str, Ground]]:
    """Run every probe for every pair of services, each attacker beside the others.

    Probes of a service's own bounds run once per service and stand under the pair of it with itself. A service that
    cannot log in where it lives is an error in each of its results, never a refusal. Returns the results, and what
    there was to attack, by instance.

    Args:
        servers: one per instance of the layout.
        layout: where each service lives.
        passwords: gives a role's own secret.
        catalogue: what to try.
        token: name of this run, of letters and digits; whatever a probe would make bears it.
        progress: told the share that is done, from 0 to 1.

    Raises TOPOLOGY_CONNECT and PG_VERSION for the administrator's own connections alone.
    """
    grounds = await asyncio.gather(*(read_ground(server, layout) for server in servers))
    town = Town(
        grounds={ground.server.instance: ground for ground in grounds}, layout=layout, passwords=passwords, token=token
    )
    done = 0

    async def row(attacker: Placement) -> list[Result]:
        nonlocal done
        raider = Raider(town, attacker)
        results: list[Result] = []
        try:
            for victim in layout:
                results += [
                    await _try(raider, attack, victim) for attack in catalogue if _concerns(attack, attacker, victim)
                ]
                done += 1
                if progress is not None:
                    progress(done / len(layout) ** 2)
        finally:
            await raider.close()
        return results

    async with AsyncExitStack() as stack:
        await _place_decoys(town, stack)
        rows = await asyncio.gather(*(row(attacker) for attacker in layout))
    return tuple(result for results in rows for result in results), town.grounds


def _concerns(attack: Attack, attacker: Placement, victim: Placement) -> bool:
    return (attack.place is Place.SELF) == (attacker.service == victim.service)


async def _try(raider: Raider, attack: Attack, victim: Placement) -> Result:
    attacker = raider.attacker
    answer = await raider.run(attack, victim)
    shares_database = (attacker.instance, attacker.database) == (victim.instance, victim.database)
    is_declared = attack.name == "connect.victim_database" and shares_database
    return Result(
        attack=attack, attacker=attacker.service, victim=victim.service, answer=answer, is_declared=is_declared
    )


async def _place_decoys(town: Town, stack: AsyncExitStack) -> None:
    """Open a session of each service that others may see, read or end: inside a transaction, holding no row."""
    for placement in town.layout:
        role = placement.service_role
        try:
            connection = await connect(
                town.server_of(placement),
                role=role,
                password=town.passwords(role),
                database=placement.database,
                settings={"application_name": f"decoy {town.token}", "idle_in_transaction_session_timeout": "0"},
            )
        except FAILURES:
            town.decoys[placement.service] = 0
            continue
        stack.push_async_callback(close, connection)
        await connection.execute(f"begin; select 'secret of {placement.service} {town.token}'")
        town.decoys[placement.service] = connection.get_server_pid()


def _refused(error: BaseException, *, is_known: bool) -> Answer:
    """Judge a refused login; a wrong password proves something only where the role itself is not known."""
    code = code_of(error)
    is_closed = code in {"42501", "28000"} or (code == _UNKNOWN_PASSWORD and not is_known)
    return Answer(outcome=Outcome.DENIED if is_closed else Outcome.ERROR, code=code, text=text_of(error))
