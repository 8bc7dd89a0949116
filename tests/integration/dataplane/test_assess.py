"""An assessment on real servers: what is counted, reached and lost is what the layout is; nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from alphintra.dataplane.assess import backups, counting, faults, reach, trails
from alphintra.dataplane.assess.bench import LAYOUTS, Bench, Notes, build
from alphintra.dataplane.assess.figures import Report, Word
from alphintra.dataplane.assess.load import same_load
from alphintra.dataplane.assess.report import read_report
from alphintra.dataplane.assess.runner import FULL, QUICK
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.assessment import require_room
from alphintra.runtime.scratch import scratch_lab

_TIMEOUT_S = 900  # five layouts on a busy machine


def scratch_folders() -> set[Path]:
    """Return the folders that assessments have left or use."""
    return set(Path(tempfile.gettempdir()).glob("alphintra-assess-*"))


def values(notes: Notes, *keys: str) -> list[float]:
    """Return figures in the order asked."""
    return [notes.figures[key].value for key in keys]


async def _assess_border(bench: Bench, notes: Notes) -> None:
    counting.count_parts(bench, notes)
    counting.count_classes(bench, notes)
    await reach.note_reach(bench, notes)
    await reach.note_matrix(bench, notes)
    await reach.note_audit(bench, notes)
    await reach.note_powers(bench, notes)
    await trails.note_trails(bench, notes)
    await trails.note_readers(bench, notes)


async def _after_a_reader_too_many(bench: Bench) -> Notes:
    """Let trading's reader read people's profiles, measure again, and take it back."""
    notes = Notes()
    victim, thief = bench.placed("user"), bench.placed("trading")
    rights = (f'usage on schema "{victim.schema}"', f'select on "{victim.schema}".profiles')
    async with admin_connection(bench.instance_of(victim).server, database=victim.database) as connection:
        for right in rights:
            await connection.execute(f'grant {right} to "{thief.reader_role}"')
        await trails.note_readers(bench, notes)
        for right in rights:
            await connection.execute(f'revoke {right} from "{thief.reader_role}"')
    return notes


async def _after_a_grant_too_many(bench: Bench) -> Notes:
    """Let trading read people's profiles, measure again, and take it back."""
    notes = Notes()
    victim, thief = bench.placed("user"), bench.placed("trading")
    rights = (f'usage on schema "{victim.schema}"', f'select on "{victim.schema}".profiles')
    async with admin_connection(bench.instance_of(victim).server, database=victim.database) as connection:
        for right in rights:
            await connection.execute(f'grant {right} to "{thief.service_role}"')
        await reach.note_reach(bench, notes)
        await reach.note_matrix(bench, notes)
        for right in rights:
            await connection.execute(f'revoke {right} from "{thief.service_role}"')
    return notes


@pytest.mark.slow
async def test_central_is_what_its_figures_say_a_grant_too_many_shows_and_nothing_is_left() -> None:
    before = scratch_folders()
    notes = Notes()
    async with scratch_lab() as lab:
        bench = await build(lab, "central", orders=100, notes=notes)
        await _assess_border(bench, notes)
        log = await counting.log_positions(bench)
        databases, _ = await same_load(bench, rounds=2)
        await counting.note_resources(bench, notes, log_before=log)
        for database in databases.values():
            await database.close()
        planted = await _after_a_grant_too_many(bench)
        planted_reader = await _after_a_reader_too_many(bench)
        await faults.note_patching(bench, notes)
        await backups.note_dumps(bench, notes)
        await backups.note_keys(bench, notes)
        processes = bench.instances["main"].processes()
    assert values(notes, "databases", "instances", "service_roles", "pools") == [1, 1, 8, 8]
    assert values(notes, "sql_allow", "sql_deny", "sql_wrong", "drift") == [8, 56, 0, 0]
    assert values(notes, "reach_share", "administrator_share", "trading_reads_people") == [0, 1, 0]
    assert values(notes, "audit_kept", "audit_crossed", "powers", "drift_found") == [8, 0, 0, 1]
    assert values(notes, "bundles_proven", "bundles_refused", "trails_sound", "trails_shown") == [8, 8, 8, 8]
    assert values(notes, "readers_own", "readers_crossed") == [8, 0]
    assert values(planted_reader, "readers_crossed") == [1]
    assert values(notes, "mixed_databases", "ended_by_patch", "dump_rolled_back", "dump_restored") == [1, 7, 0, 1]
    assert values(notes, "keys_own", "keys_crossed", "keys_rotated") == [8, 0, 1]
    assert min(values(notes, "pss_mib", "disk_mib", "wal_mib", "sessions")) > 0
    assert values(planted, "trading_reads_people", "reach_tables") == [1, 1]
    assert min(values(planted, "reach_share", "drift", "sql_wrong")) > 0
    assert processes
    assert not any(psutil.pid_exists(pid) for pid in processes)
    assert scratch_folders() <= before


def test_room_is_asked_for_before_anything_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 10_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _folder: Full)
    with pytest.raises(AlphintraError, match="DISK_SPACE"):
        require_room(QUICK)


def test_the_full_run_needs_more_room_than_the_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Some:
        free = 5_000_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _folder: Some)
    require_room(QUICK)
    with pytest.raises(AlphintraError, match="DISK_SPACE"):
        require_room(FULL)


def _environment(home: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ALPHINTRA_")}
    return {**ours, "ALPHINTRA_HOME": str(home)}


def _run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "alphintra", *arguments],
        env=_environment(home), capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("assess", "--layout", "sharded"), "LAYOUT_UNKNOWN"),
        (("assess", "--layout", "central", "--all"), "LAYOUT_CHOICE"),
        (("assess", "--rows", "5"), "ROWS_RANGE"),
        (("assess", "--out", "/dev/null/report"), "REPORT_FOLDER"),
        (("assess", "--table-rows", "999"), "ROWS_RANGE"),
        (("assess", "--from", "/nowhere.json"), "REPORT_MISSING"),
        (("advise", "--team-size", "2"), "ANSWER_MISSING"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(arguments: tuple[str, ...], code: str, tmp_path: Path) -> None:
    before = scratch_folders()
    done = _run("db", *arguments, home=tmp_path / "home")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error {code}: ")
    assert done.stderr.count("\n") == 1
    assert scratch_folders() <= before
    assert not (tmp_path / "home").exists()


def test_advice_needs_a_report(tmp_path: Path) -> None:
    given = ("--team-size", "5", "--financial", "--no-prototype", "--no-extreme-cost-limits", "--no-simple-crud")
    done = _run("db", "advise", *given, "--report", str(tmp_path / "none.json"), home=tmp_path / "home")
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "error REPORT_MISSING")


@pytest.mark.slow
@pytest.mark.timeout(_TIMEOUT_S)
def test_all_layouts_are_measured_judged_saved_and_advised_on(tmp_path: Path) -> None:
    done = _run(
        "db",
        "assess",
        "--all",
        "--quick",
        "--rows",
        "500",
        "--table-rows",
        "1000",
        "--out",
        str(tmp_path),
        "--json",
        home=tmp_path / "h",
    )
    assert done.returncode == 0, done.stderr
    report = read_report(tmp_path / "assess.json")
    assert json.loads(done.stdout)["claims"][0]["number"] == 1
    assert report.layouts == tuple(LAYOUTS)
    assert [found.gaps for found in report.findings] == [{}] * 5
    _check_what_must_come_out(report)
    given = ("--team-size", "5", "--financial", "--no-prototype", "--no-extreme-cost-limits", "--no-simple-crud")
    path = str(tmp_path / "assess.json")
    advised = _run("db", "advise", *given, "--report", path, "--json", home=tmp_path / "h")
    assert json.loads(advised.stdout)["advice"]["layout"] == "instances"


def _check_what_must_come_out(report: Report) -> None:
    """Hold the verdicts that no machine can change against what the layouts are."""
    words = {(row.number, name): verdict.word for row in report.claims for name, verdict in row.verdicts.items()}
    shared = ("separate", "hybrid", "central", "consolidated")
    assert [words[5, name] for name in shared] == [Word.HOLDS] * 4
    assert words[5, "instances"] is Word.FAILS
    assert [words[16, name] for name in shared] == [Word.FAILS] * 4
    assert words[16, "instances"] is Word.HOLDS
    assert [words[21, name] for name in (*shared, "instances")] == [Word.CONDITION] * 4 + [Word.HOLDS]
    assert [words[13, name] for name in LAYOUTS] == [Word.HOLDS] * 3 + [Word.FAILS, Word.HOLDS]
    assert [words[7, name] for name in LAYOUTS] == [Word.CONDITION] * 3 + [Word.HOLDS, Word.FAILS]
    assert [words[3, name] for name in LAYOUTS] == [Word.CONDITION, Word.CONDITION, Word.HOLDS, Word.HOLDS, Word.FAILS]
    assert [words[10, name] for name in LAYOUTS] == [Word.HOLDS] * 3 + [Word.FAILS, Word.HOLDS]
    assert [words[12, name] for name in LAYOUTS] == [Word.HOLDS] * 3 + [Word.FAILS, Word.HOLDS]
    assert [words[29, name] for name in LAYOUTS] == [Word.CONDITION] * 2 + [Word.HOLDS] + [Word.CONDITION] * 2
    assert Word.UNMEASURED not in words.values()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_server_and_a_killed_ones_folder_goes_with_the_next(
    number: signal.Signals, tmp_path: Path
) -> None:
    before = scratch_folders()
    command = [
        sys.executable,
        "-m",
        "alphintra",
        "db",
        "assess",
        "--layout",
        "instances",
        "--quick",
        "--table-rows",
        "1000",
    ]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--quick", "--table-rows", "1000", "--out", str(tmp_path / "out")],
        env=_environment(tmp_path / "home"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "instances: reach" in line:
            break
    made = scratch_folders() - before
    assert made
    process.send_signal(number)
    status = process.wait(timeout=60)
    process.stderr.close()
    assert status == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    _await_no_server(made)
    if number is signal.SIGKILL:
        asyncio.run(_open_and_close())
    assert scratch_folders() <= before
    assert not (tmp_path / "out").exists()


async def _open_and_close() -> None:
    async with scratch_lab():
        pass


def _await_no_server(folders: set[Path]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607
        if not any(str(folder) in found for folder in folders) and not _works_in(folders):
            return
        time.sleep(0.1)
    pytest.fail("servers of an ended assessment still run")


def _works_in(folders: set[Path]) -> bool:
    for entry in Path("/proc").iterdir():
        try:
            place = (entry / "cwd").readlink() if entry.name.isdigit() else Path("/")
        except OSError:
            continue
        if any(place.is_relative_to(folder) for folder in folders):
            return True
    return False
