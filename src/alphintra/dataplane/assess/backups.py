"""Backups and restores, timed: whole instances, dumps per database, and one service brought back from each.

A row is written for every service after the backup; which of these rows are gone after one service was restored tells
what else was rolled back.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.backup.dumps import selection
from alphintra.dataplane.backup.sealing import Key, Sealer, new_key, unseal
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.server import admin_connection
from alphintra.dataplane.verify import find_drift
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from pathlib import Path

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.assess.lab import Instance
    from alphintra.dataplane.layouts import Placement

__all__ = ["note_dumps", "note_keys", "note_physical"]

_MIB: Final = 1024 * 1024
_MARK: Final = "after the backup"
_TIMEOUT_S: Final = 1800.0
_SERVICE: Final = "trading"


async def note_physical(bench: Bench, notes: Notes) -> None:
    """Back up every instance, then bring trading's back beside the live one and see which services it rolled back."""
    began = time.perf_counter()
    folders = {}
    for name, instance in bench.instances.items():
        folders[name] = bench.lab.scratch / f"base-{name}"
        await _run(bench, "pg_basebackup", *_login(instance), "-D", str(folders[name]), "-X", "stream", "-c", "fast")
    notes.put("whole_s", time.perf_counter() - began, "s")
    notes.put("whole_mib", sum(_size(folder) for folder in folders.values()) / _MIB, "MiB")
    await _mark(bench)
    victim = bench.placed(_SERVICE)
    began = time.perf_counter()
    copy = await bench.lab.open_copy(folders[victim.instance])
    notes.put("whole_restore_s", time.perf_counter() - began, "s")
    beside = [placement for placement in bench.layout if placement.instance == victim.instance]
    rolled = [item.service for item in beside if not await _has_mark(item, copy)]
    await copy.stop()
    others = [service for service in rolled if service != _SERVICE]
    notes.put("whole_rolled_back", len(others), "services")
    notes.facts["whole_rolled_back"] = tuple(others)
    await _unmark(bench)


async def note_dumps(bench: Bench, notes: Notes) -> None:
    """Dump every database, then restore trading alone in its place and see which services it rolled back."""
    began = time.perf_counter()
    total = 0
    for placement in {placement.database: placement for placement in bench.layout}.values():
        target = bench.lab.scratch / f"{placement.database}.dump"
        await _run(
            bench, "pg_dump", *_login(bench.instance_of(placement)), "-Fc", "-f", str(target), placement.database
        )
        total += target.stat().st_size
    notes.put("dump_s", time.perf_counter() - began, "s")
    notes.put("dump_mib", total / _MIB, "MiB")
    victim = bench.placed(_SERVICE)
    login = _login(bench.instance_of(victim))
    one = bench.lab.scratch / "one.dump"
    began = time.perf_counter()
    await _run(bench, "pg_dump", *login, "-Fc", *selection(victim), "-f", str(one), victim.database)
    notes.put("dump_one_s", time.perf_counter() - began, "s")
    await _mark(bench)
    began = time.perf_counter()
    await _drop(bench, victim)
    await _run(bench, "pg_restore", *login, "--exit-on-error", "-d", victim.database, str(one))
    notes.put("dump_restore_s", time.perf_counter() - began, "s")
    marked = {item.service: await _has_mark(item, bench.instance_of(item)) for item in bench.layout}
    others = [service for service, there in marked.items() if not there and service != _SERVICE]
    notes.put("dump_rolled_back", len(others), "services")
    notes.put("dump_restored", 0 if marked[_SERVICE] else 1, "services")
    notes.facts["dump_rolled_back"] = tuple(others)
    servers = [instance.server for instance in bench.instances.values()]
    notes.put("dump_drift", len(await find_drift(servers, layout=bench.layout)), "differences")
    await _unmark(bench)


async def note_keys(bench: Bench, notes: Notes) -> None:
    """Seal a dump of each service with a key of its own and try every key on each; then give one service a new key."""
    keys = {placement.service: new_key() for placement in bench.layout}
    sealed = {}
    for placement in bench.layout:
        plain = bench.lab.scratch / f"{placement.service}.plain"
        login = _login(bench.instance_of(placement))
        await _run(bench, "pg_dump", *login, "-Fc", *selection(placement), "-f", str(plain), placement.database)
        sealed[placement.service] = await asyncio.to_thread(_seal, plain, placement.service, keys[placement.service])
        if placement.service != _SERVICE:
            plain.unlink()
    opened = [
        (owner, of)
        for owner, key in keys.items()
        for of, path in sealed.items()
        if await asyncio.to_thread(_opens, path, of, key)
    ]
    notes.put("keys_own", sum(owner == of for owner, of in opened), "services")
    notes.put("keys_crossed", sum(owner != of for owner, of in opened), "pairs")
    renewed = new_key()
    after = await asyncio.to_thread(_seal, bench.lab.scratch / f"{_SERVICE}.plain", _SERVICE, renewed)
    outcomes = [
        await asyncio.to_thread(_opens, after, _SERVICE, renewed),
        not await asyncio.to_thread(_opens, after, _SERVICE, keys[_SERVICE]),
        not await asyncio.to_thread(_opens, sealed[_SERVICE], _SERVICE, renewed),
        await asyncio.to_thread(_opens, sealed[_SERVICE], _SERVICE, keys[_SERVICE]),
    ]
    notes.put("keys_rotated", int(all(outcomes)), "services")


def _seal(plain: Path, service: str, key: Key) -> Path:
    target = plain.with_name(f"{service}-{key.ident}.sealed")
    with plain.open("rb") as source, target.open("wb") as file:
        for piece in Sealer(key, service).seal(iter(lambda: source.read(_MIB), b"")):
            file.write(piece)
    return target


def _opens(path: Path, service: str, key: Key) -> bool:
    """Say whether a key opens a sealed dump to its last byte."""
    with path.open("rb") as file:
        try:
            return sum(map(len, unseal(iter(lambda: file.read(_MIB), b""), key=key, about=service, name=path.name))) > 0
        except AlphintraError:
            return False


async def _drop(bench: Bench, placement: Placement) -> None:
    async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
        if not placement.merged_schema:
            await connection.execute(f'drop schema "{placement.schema}" cascade')
            return
        tables = ", ".join(qualified(*placement.location(table.name)) for table in service_tables(placement.spec))
        await connection.execute(f"drop table {tables} cascade")


async def _mark(bench: Bench) -> None:
    for placement in bench.layout:
        inbox = qualified(*placement.location("inbox"))
        async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
            await connection.execute(f"insert into {inbox} (consumer, event_id) values ($1, gen_random_uuid())", _MARK)  # noqa: S608 - quoted


async def _unmark(bench: Bench) -> None:
    for placement in bench.layout:
        inbox = qualified(*placement.location("inbox"))
        async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
            await connection.execute(f"delete from {inbox} where consumer = $1", _MARK)  # noqa: S608 - quoted


async def _has_mark(placement: Placement, instance: Instance) -> bool:
    inbox = qualified(*placement.location("inbox"))
    async with admin_connection(instance.server, database=placement.database) as connection:
        return bool(await connection.fetchval(f"select count(*) from {inbox} where consumer = $1", _MARK))  # noqa: S608 - quoted


def _login(instance: Instance) -> list[str]:
    folder, port = re.findall(r"host=([^&]+)&port=(\d+)", instance.server.admin_url)[0]
    from urllib.parse import unquote  # noqa: PLC0415 - one use

    return ["-h", unquote(folder), "-p", port, "-U", "postgres"]


async def _run(bench: Bench, program: str, *arguments: str) -> None:
    """Run a client program to its end; it is ended with us. Raises BACKUP_FAILED with its last words."""
    process = await asyncio.create_subprocess_exec(
        str(bench.lab.programs / program),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = (said.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise AlphintraError("BACKUP_FAILED", f"{program} failed: {last}", kind=Kind.UNAVAILABLE)


def _size(folder: Path) -> int:
    return sum(path.stat(follow_symlinks=False).st_size for path in folder.rglob("*") if path.is_file())
