"""Every step of a move x everything that can die at it: one side is in charge, all is completed, no write is lost.

A process of the service writes without a rest and keeps a ledger. At each step the tool is held, something is killed,
and the tool goes on as far as it can. Then the service must work again by itself, with exactly one place that takes
writes; after `--resume` or `--rollback` nothing may be lost, doubled, torn or left over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest

from alphintra.dataplane.server import admin_connection
from alphintra.runtime.moving.journal import read_journal
from fixtures.moving.broken import Scene, staged
from fixtures.moving.town import NEW, OLD, Town, built, leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server
    from alphintra.runtime.moving.journal import Journal

pytestmark = pytest.mark.timeout(1800)

FORTH: Final = (
    "planned", "prepared", "slot", "filled", "copied", "streaming", "begun", "shut", "fenced", "drained", "pinned",
    "taken", "freed", "switched", "unfollowed", "reversed", "verified",
)  # fmt: skip
BACK: Final = ("begun", "shut", "fenced", "drained", "pinned", "taken", "freed", "switched", "forgotten", "cleared")
FINISH: Final = ("finishing", "forgotten", "cleared")
STEPS: Final = {"go_on": FORTH, "go_back": BACK, "finish": FINISH}
THERE: Final = replace(OLD, instance="second")
CUT: Final = frozenset({"STORE_UNAVAILABLE"})
FENCED: Final = CUT | {"InsufficientPrivilegeError"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """What dies at a step.

    Attributes:
        kills: tool, guard, writer, source, target.
        stays_down: whether servers start again only when the tool has ended.
        codes: what the service's requests may be told.
    """

    kills: frozenset[str]
    stays_down: bool = False
    codes: frozenset[str] = frozenset()

    def servers(self, places: tuple[Placement, Placement]) -> tuple[str, ...]:
        return tuple(
            place.instance for name, place in zip(("source", "target"), places, strict=True) if name in self.kills
        )


BLOWS: Final = {
    "tool": Blow(kills=frozenset({"tool"})),
    # Rights wait for the next command where both die: nobody is left who could give them back.
    "tool and guard": Blow(kills=frozenset({"tool", "guard"}), codes=FENCED),
    "service": Blow(kills=frozenset({"writer"})),
    "source": Blow(kills=frozenset({"source"}), codes=CUT),
    "target": Blow(kills=frozenset({"target"}), codes=CUT),
    "source for long": Blow(kills=frozenset({"source"}), stays_down=True, codes=CUT),
    "target for long": Blow(kills=frozenset({"target"}), stays_down=True, codes=CUT),
    "everything": Blow(kills=frozenset({"tool", "guard", "writer", "source", "target"}), codes=FENCED),
}


async def strike(scene: Scene, blow: Blow, places: tuple[Placement, Placement], *, tool: int) -> None:
    """Kill at the step, let what is left go on until it has ended, and start again what was killed."""
    down = blow.servers(places)
    await scene.crash(*down)
    if "writer" in blow.kills:
        await scene.kill_writer()
    if not blow.stays_down and "tool" not in blow.kills:
        await scene.start(*down)
    if "tool" in blow.kills:
        await scene.kill_tool(tool, with_guard="guard" in blow.kills)
        await scene.start(*down)
    else:
        await scene.go_on()
    if blow.stays_down:
        await scene.start(*down)


async def break_and_mend(scene: Scene, blow: Blow, *, what: str, step: str, by: str, target: Placement) -> None:
    """Break one move at one step, and let one more run of the tool complete it or take it back."""
    places = (scene.town.place, target)
    begin: Journal | None = scene.town.journal(target)
    if what != "go_on":
        await scene.begin("go_on", begin=begin, hold="verified")
        assert await scene.go_on() == 0
        begin = None
    tool = await scene.begin(what, begin=begin, hold=step)
    await strike(scene, blow, places, tool=tool)
    if "guard" not in blow.kills:
        await scene.ledger.goes_on()
        assert len(await scene.town.writable(places)) == 1
    if read_journal(scene.town.home) is not None:
        assert await scene.run(by) == 0, step
    assert scene.town.place == places[by != "go_back"]
    await scene.ledger.goes_on()
    await scene.require_whole(places, codes=blow.codes)


async def walk(town: Town, blow: Blow, *, target: Placement, steps: Iterable[tuple[str, str, str]]) -> int:
    """Break moves at each step in turn, from wherever the one before has led to the other place.

    Each step is what is done, where it is broken, and what the next run of the tool does. Returns how many writes were
    acknowledged.
    """
    is_newer = await is_older(town)
    async with staged(town) as scene:
        for what, step, by in steps:
            await break_and_mend(scene, blow, what=what, step=step, by=by, target=target if town.place == OLD else OLD)
            if read_journal(town.home) is not None:
                assert await scene.run("go_back" if is_newer else "finish") == 0, step
        assert scene.writer.returncode is None
    assert read_journal(town.home) is None
    for server in town.servers.values():
        assert [each for each in await leftovers(server) if each != "alphintra_platform"] == []
    return len(scene.ledger.acknowledged)


async def is_older(town: Town) -> bool:
    """Tell whether the service lies on an older PostgreSQL than the other one: there is no move from that to this."""
    versions = []
    for server in town.servers.values():
        async with admin_connection(server) as connection:
            versions.append(connection.get_server_version().major)
    return versions != sorted(versions, reverse=True)


def forth(*, is_resumed_first: bool) -> list[tuple[str, str, str]]:
    """Return the steps of a move, every other one resumed and those between taken back."""
    return [
        ("go_on", step, "go_on" if (number % 2 == 0) == is_resumed_first else "go_back")
        for number, step in enumerate(FORTH)
    ]


WAYS: Final = {
    "forth": forth(is_resumed_first=True),
    "forth, the others taken back": forth(is_resumed_first=False),
    "back": [("go_back", step, "go_back") for step in BACK],
    "finish": [("finish", step, "finish") for step in FINISH],
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BLOWS)
async def test_a_move_between_servers_survives_whatever_dies_at_any_step(
    private_postgres: Callable[..., Server], tmp_path: Path, name: str, way: str
) -> None:
    town = await built(private_postgres(), tmp_path, second=replace(private_postgres(), instance="second"))
    assert await walk(town, BLOWS[name], target=THERE, steps=WAYS[way]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tool", "source", "source for long", "everything"])
async def test_a_move_within_one_server_survives_whatever_dies_at_any_step(
    private_postgres: Callable[..., Server], tmp_path: Path, name: str
) -> None:
    town = await built(private_postgres(), tmp_path)
    assert await walk(town, BLOWS[name], target=NEW, steps=WAYS["forth"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["source", "target", "everything"])
async def test_a_move_to_a_newer_postgresql_survives_servers_that_die_at_any_step(
    private_postgres: Callable[..., Server], tmp_path: Path, name: str
) -> None:
    old = private_postgres(version=15)
    town = await built(old, tmp_path, second=replace(private_postgres(), instance="second"))
    assert await walk(town, BLOWS[name], target=THERE, steps=WAYS["forth"]) > 0


async def test_a_move_whose_target_dies_at_the_change_over_is_completed(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    town = await built(private_postgres(), tmp_path)
    assert await walk(town, BLOWS["target"], target=NEW, steps=[("go_on", "taken", "go_on")]) > 0
