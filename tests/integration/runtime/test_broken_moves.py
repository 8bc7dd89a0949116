"""Every step of a move x everything that can die at it: one side is in charge, all is completed, no write is lost.

A process of the service writes without a rest, publishes what it writes, and keeps a ledger. At each step the tool is
held, something is killed, and the tool goes on as far as it can. Then the service must work again by itself, with
exactly one place that takes writes; after `--resume`, `--rollback` or `--finish` nothing may be lost, doubled, torn or
left over, and the bus has heard all of it and nothing else. Which steps there are is found by a run that nothing
disturbs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import alphintra.runtime.moving.merging
from alphintra.dataplane.server import admin_connection
from alphintra.runtime.moving.journal import Step, read_journal
from fixtures.moving.broken import Scene, staged
from fixtures.moving.stream import opened_stream
from fixtures.moving.tool import MODULES
from fixtures.moving.town import NEW, OLD, Town, built, leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server
    from alphintra.runtime.moving.journal import Journal
    from fixtures.moving.broken import Passed
    from fixtures.moving.stream import Stream
    from fixtures.nats import NatsServer

pytestmark = pytest.mark.timeout(3600)

THERE: Final = replace(OLD, instance="second")
CUT: Final = frozenset({"STORE_UNAVAILABLE"})
FENCED: Final = CUT | {"InsufficientPrivilegeError"}


class Part(StrEnum):
    """What can die."""

    TOOL = "tool"
    GUARD = "guard"
    SERVICE = "service"
    SOURCE = "source"
    TARGET = "target"
    NATS = "nats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """What dies at a step.

    Attributes:
        kills: the parts.
        stays_down: whether servers start again only when the tool has ended.
        codes: what the service's requests may be told.
    """

    kills: frozenset[Part]
    stays_down: bool = False
    codes: frozenset[str] = frozenset()

    def servers(self, places: tuple[Placement, Placement]) -> tuple[str, ...]:
        return tuple(
            place.instance for part, place in zip((Part.SOURCE, Part.TARGET), places, strict=True) if part in self.kills
        )


BLOWS: Final = {
    "tool": Blow(kills=frozenset({Part.TOOL})),
    # Rights wait for the next command where both die: nobody is left who could give them back.
    "tool and guard": Blow(kills=frozenset({Part.TOOL, Part.GUARD}), codes=FENCED),
    "service": Blow(kills=frozenset({Part.SERVICE})),
    "source": Blow(kills=frozenset({Part.SOURCE}), codes=CUT),
    "target": Blow(kills=frozenset({Part.TARGET}), codes=CUT),
    "nats": Blow(kills=frozenset({Part.NATS})),
    "source for long": Blow(kills=frozenset({Part.SOURCE}), stays_down=True, codes=CUT),
    "target for long": Blow(kills=frozenset({Part.TARGET}), stays_down=True, codes=CUT),
    "nats for long": Blow(kills=frozenset({Part.NATS}), stays_down=True),
    "everything": Blow(kills=frozenset(Part), codes=FENCED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What the tool does, where it is broken and by what, and what its next run does."""

    what: str
    step: str
    blow: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What the tool does, and what its next run does after each other step."""

    what: str
    by: tuple[str, str]


WAYS: Final = {
    "forth": Way(what="go_on", by=("go_on", "go_back")),
    "forth, the others taken back": Way(what="go_on", by=("go_back", "go_on")),
    "back": Way(what="go_back", by=("go_back", "go_back")),
    "finish": Way(what="finish", by=("finish", "finish")),
}


async def strike(scene: Scene, blow: Blow, places: tuple[Placement, Placement], *, tool: int) -> None:
    """Kill at the step, let what is left go on until it has ended, and start again what was killed."""

    async def start() -> None:
        await scene.start(*down)
        scene.start_bus()

    down = blow.servers(places)
    await scene.crash(*down)
    if Part.NATS in blow.kills:
        scene.kill_bus()
    if Part.SERVICE in blow.kills:
        await scene.kill_writer()
    if not blow.stays_down and Part.TOOL not in blow.kills:
        await start()
    if Part.TOOL in blow.kills:
        await scene.kill_tool(tool, with_guard=Part.GUARD in blow.kills)
        await start()
    else:
        await scene.go_on()
    if blow.stays_down:
        if not down:
            await scene.ledger.goes_on()
        await start()


async def break_and_mend(scene: Scene, cell: Cell, *, target: Placement) -> None:
    """Break one move at one step, and let one more run of the tool complete it or take it back."""
    places = (scene.town.place, target)
    blow = BLOWS[cell.blow]
    begin: Journal | None = scene.town.journal(target)
    if cell.what != "go_on":
        assert await scene.run("go_on", begin=begin) == 0
        begin = None
    tool = await scene.begin(cell.what, begin=begin, hold=cell.step)
    await strike(scene, blow, places, tool=tool)
    if Part.GUARD not in blow.kills:
        await scene.ledger.goes_on()
        assert len(await scene.town.writable(places)) == 1
    if read_journal(scene.town.home) is not None:
        assert await scene.run(cell.by) == 0
    assert scene.town.place == places[cell.by != "go_back"]
    await scene.ledger.goes_on()
    await scene.require_whole(places, codes=blow.codes)


async def rehearse(scene: Scene, what: str, *, target: Placement) -> tuple[Passed, ...]:
    """Do what is to be broken once, undisturbed; return the steps that it passes, each at its first time."""
    journal = scene.town.journal(target)
    assert await scene.run("go_on", begin=journal) == 0
    if what != "go_on":
        assert await scene.run(what) == 0
    passed = {each.step: each for each in reversed(scene.passed)}
    if what == "go_on":
        assert await scene.run("go_back") == 0
    return tuple(reversed(passed.values()))


async def check_cells(scene: Scene, cells: Sequence[Cell], *, target: Placement, is_newer: bool = False) -> None:
    """Break moves in turn, from wherever the one before has led to the other place."""
    for cell in cells:
        try:
            await break_and_mend(scene, cell, target=target if scene.town.place == OLD else OLD)
            if read_journal(scene.town.home) is not None:
                assert await scene.run("go_back" if is_newer else "finish") == 0
        except (AssertionError, TimeoutError, pytest.fail.Exception) as error:
            error.add_note(f"in {cell}")
            raise
    assert scene.writer.returncode is None
    assert read_journal(scene.town.home) is None
    for server in scene.town.servers.values():
        assert [each for each in await leftovers(server) if each != "alphintra_platform"] == []
    assert len(scene.ledger.acknowledged) > len(cells)


async def check_every_step(town: Town, stream: Stream, name: str, way: Way, *, target: Placement) -> None:
    """Break a move at each of its steps by one blow."""
    is_newer = await is_older(town)
    async with staged(town, stream) as scene:
        steps = await rehearse(scene, way.what, target=target)
        cells = [
            Cell(what=way.what, step=each.step, blow=name, by=way.by[number % 2]) for number, each in enumerate(steps)
        ]
        await check_cells(scene, cells, target=target, is_newer=is_newer)


async def is_older(town: Town) -> bool:
    """Tell whether the service lies on an older PostgreSQL than the other one: there is no move from that to this."""
    versions = []
    for server in town.servers.values():
        async with admin_connection(server) as connection:
            versions.append(connection.get_server_version().major)
    return versions != sorted(versions, reverse=True)


def points_of(*files: str) -> set[str]:
    """Return the steps that the source of the tool marks."""
    calls = (node for file in files for node in ast.walk(ast.parse(Path(file).read_text())))
    named = (
        str(ast.literal_eval(call.args[0]))
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "fault_point"
    )
    return {name.removeprefix("migrate.") for name in named}


async def test_the_matrix_holds_every_step_and_everything_that_can_die(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    town = await built(private_postgres(), tmp_path)
    passed: set[Passed] = set()
    async with staged(town) as scene:
        for what in ("go_on", "go_back", "finish"):
            passed |= set(await rehearse(scene, what, target=NEW))
    marked = points_of(*(str(each.__file__) for each in MODULES if each is not alphintra.runtime.moving.merging))
    assert {each.step for each in passed} == marked
    assert {each.noted for each in passed} >= {step.value for step in Step}
    alone = {part for blow in BLOWS.values() for part in blow.kills if blow.kills <= {part, Part.TOOL}}
    assert alone == set(Part)


async def test_a_move_survives_some_of_what_can_die_at_some_of_its_steps(
    private_postgres: Callable[..., Server], private_nats: Callable[..., NatsServer], tmp_path: Path
) -> None:
    town = await built(private_postgres(), tmp_path)
    cells = [
        Cell(what="go_on", step="taken", blow="target", by="go_on"),
        Cell(what="go_on", step="drained", blow="nats", by="go_back"),
        Cell(what="go_back", step="fenced", blow="service", by="go_back"),
        Cell(what="finish", step="forgotten", blow="everything", by="finish"),
    ]
    async with staged(town, await opened_stream(private_nats)) as scene:
        await check_cells(scene, cells, target=NEW)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BLOWS)
async def test_a_move_between_servers_survives_whatever_dies_at_any_step(
    private_postgres: Callable[..., Server],
    private_nats: Callable[..., NatsServer],
    tmp_path: Path,
    name: str,
    way: str,
) -> None:
    town = await built(private_postgres(), tmp_path, second=replace(private_postgres(), instance="second"))
    await check_every_step(town, await opened_stream(private_nats), name, WAYS[way], target=THERE)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name, blow in BLOWS.items() if blow.kills != {Part.TARGET}])
async def test_a_move_within_one_server_survives_whatever_dies_at_any_step(
    private_postgres: Callable[..., Server],
    private_nats: Callable[..., NatsServer],
    tmp_path: Path,
    name: str,
    way: str,
) -> None:
    town = await built(private_postgres(), tmp_path)
    await check_every_step(town, await opened_stream(private_nats), name, WAYS[way], target=NEW)


@pytest.mark.slow
@pytest.mark.parametrize("way", [name for name, way in WAYS.items() if way.what != "finish"])  # it has no way back
@pytest.mark.parametrize("name", BLOWS)
async def test_a_move_to_a_newer_postgresql_survives_whatever_dies_at_any_step(
    private_postgres: Callable[..., Server],
    private_nats: Callable[..., NatsServer],
    tmp_path: Path,
    name: str,
    way: str,
) -> None:
    old = private_postgres(version=15)
    town = await built(old, tmp_path, second=replace(private_postgres(), instance="second"))
    await check_every_step(town, await opened_stream(private_nats), name, WAYS[way], target=THERE)
