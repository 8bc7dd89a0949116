"""Every change by hand is found, named, and mended or reported: each declared thing taken away, and others added.

Each change is made, looked at and mended inside a transaction that is rolled back, so that there can be thousands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.declaration import declare_on
from alphintra.dataplane.inspect import inspect, observe_database, observe_instance
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.plan import VERIFIER, plan, unexpected
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import admin_connection
from alphintra.dataplane.system_objects import read_catalogue
from fixtures.mutations import BY_HAND, Mutation, mutations
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alphintra.dataplane.model import Database, State
    from alphintra.dataplane.server import Server
    from alphintra.dataplane.system_objects import Catalogue

WHERE = "alphintra_financial"
TWO = tuple(
    placement
    for placement in choose_layout(LayoutChoice(name=LayoutName.HYBRID))
    if placement.service in {"trading", "risk"}
)
QUICK_STEP = 97  # a prime: each kind of change has some of its own in the quick run


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A provisioned instance that agrees with its declaration, and a connection to break it by."""

    connection: asyncpg.Connection
    declared: State
    sound: State
    catalogue: Catalogue

    async def look(self) -> State:
        """Observe again, from inside the open transaction."""
        state = await observe_instance(self.connection, self.declared)
        databases = {name: self._seen(state.databases[name]) for name in state.databases}
        wanted = self.declared.databases[WHERE]
        databases[WHERE] = await observe_database(self.connection, wanted, state.databases[WHERE], self.catalogue)
        return replace(state, databases=databases, fresh=self.sound.fresh)

    def _seen(self, entered: Database) -> Database:
        inside = self.sound.databases[entered.name]
        kept = {grant for grant in inside.grants if grant.kind != "database"}
        return replace(inside, grants=entered.grants | kept, owner=entered.owner)

    async def faults(self, mutation: Mutation) -> list[str]:
        """Make one change, look, mend what a plan mends, look again, and undo it all; return what was wrong."""
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            await self.connection.execute(mutation.sql)
            return await self._judge(mutation)
        except asyncpg.PostgresError as error:
            return [f"{mutation.sql}: {error}"]
        finally:
            await transaction.rollback()

    async def _judge(self, mutation: Mutation) -> list[str]:
        state = await self.look()
        actions = plan(self.declared, state)
        lines = [*(action.sql for action in actions), *unexpected(self.declared, state)]
        if not lines:
            return [f"{mutation.sql}: not found"]
        text = "\n".join(lines)
        wrong = [f"{mutation.sql}: {name} is not named in {text[:300]}" for name in mutation.names if name not in text]
        if mutation.is_mended != bool(actions) and mutation.is_mended:
            wrong.append(f"{mutation.sql}: found, but not mended: {text[:300]}")
        for action in actions:
            await self.connection.execute(action.sql.replace(VERIFIER, "'given anew'"))
        after = await self.look()
        if left := plan(self.declared, after):
            wrong.append(f"{mutation.sql}: still there after mending: {left[0].sql[:300]}")
        if mutation.is_mended and (notes := unexpected(self.declared, after)):
            wrong.append(f"{mutation.sql}: left behind: {notes[0]}")
        return wrong


async def try_all(server: Server, choose: Callable[[list[Mutation]], Iterable[Mutation]]) -> tuple[list[str], int]:
    await provision(server, layout=TWO, passwords=password_of)
    declared = declare_on(server, TWO)
    sound = await inspect(server, declared, passwords=password_of)
    assert plan(declared, sound) == ()
    assert unexpected(declared, sound) == ()
    wrong: list[str] = []
    chosen = list(choose([*mutations(declared, sound, where=WHERE), *BY_HAND]))
    async with admin_connection(server, database=WHERE) as connection:
        await connection.execute("set client_min_messages = error")
        catalogue = await read_catalogue(connection, declared.databases[WHERE].closures)
        bench = Bench(connection=connection, declared=declared, sound=sound, catalogue=catalogue)
        for mutation in chosen:
            wrong += await bench.faults(mutation)
    return wrong, len(chosen)


async def test_changes_by_hand_are_found_named_and_mended_or_reported(private_postgres: Callable[..., Server]) -> None:
    wrong, count = await try_all(
        private_postgres(), lambda all_of_them: [*all_of_them[: -len(BY_HAND) : QUICK_STEP], *BY_HAND]
    )
    assert wrong == []
    assert count >= len(BY_HAND) + 30


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", [18, 15])
async def test_every_change_by_hand_is_found_named_and_mended(
    private_postgres: Callable[..., Server], version: int
) -> None:
    wrong, count = await try_all(private_postgres(version=version), lambda all_of_them: all_of_them)
    assert wrong == []
    assert count >= 3000
