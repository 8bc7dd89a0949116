"""What a killed test run left behind never fails the next one."""

from __future__ import annotations

import subprocess
import tempfile
from multiprocessing.util import get_temp_dir
from pathlib import Path

import pytest

from fixtures import platform, postgres
from fixtures.leftovers import sweep_stale_runs


def a_dead_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])  # noqa: S607 - found on the path, does nothing
    process.wait()
    return process.pid


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    get_temp_dir()  # chosen once for a process: a socket of multiprocessing has no room in a name as long as this
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("pid_file", ["{dead}\n/data\n", "", "1\n/data\n"])
def test_a_server_that_died_with_its_run_is_cleared_away(temporary: Path, pid_file: str) -> None:
    dead = a_dead_process()
    run = temporary / f"alphintra-tests-{dead}-0123abcd"
    data = run / "private-1" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    (data / "postmaster.pid").write_text(pid_file.format(dead=dead))
    sweep_stale_runs("alphintra-tests", postgres._remove_run)
    assert not run.exists()


def test_a_run_that_still_works_is_left_alone(temporary: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:  # noqa: S607 - found on the path
        run = temporary / f"alphintra-tests-{process.pid}-0123abcd"
        (run / "shared" / "data").mkdir(parents=True)
        sweep_stale_runs("alphintra-tests", postgres._remove_run)
        is_left = run.exists()
        process.kill()
    assert is_left


def test_a_platform_that_died_with_its_run_is_cleared_away(temporary: Path) -> None:
    run = temporary / f"alphintra-platform-{a_dead_process()}-0123abcd"
    (run / "shared").mkdir(parents=True)
    sweep_stale_runs("alphintra-platform", platform._remove_run)
    assert not run.exists()
