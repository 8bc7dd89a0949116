"""A fault point ends the process where, and only where, the environment says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
from alphintra.infrastructure.faults import fault_point
for turn in range(5):
    fault_point("other")
    fault_point("relay.published")
    print(turn, flush=True)
"""


@pytest.mark.parametrize(
    ("armed", "status", "printed"),
    [
        ("relay.published:1", 137, ""),
        ("relay.published:3", 137, "01"),
        ("relay.published", 137, ""),
        ("relay.published:6", 0, "01234"),
        ("relay:1", 0, "01234"),
        ("", 0, "01234"),
    ],
)
def test_the_process_ends_at_the_pass_that_was_asked_for(armed: str, status: int, printed: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "ALPHINTRA_CRASH_AT": armed},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, "".join(done.stdout.split())) == (status, printed)
    assert done.stderr == ""


WAITING = """
import time
from alphintra.infrastructure.faults import fault_point
print("ready", flush=True)
while True:
    fault_point("relay.published")
    time.sleep(0.005)
"""


def started(path: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "ALPHINTRA_CRASH_FILE": str(path)}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", WAITING], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_file_arms_processes_that_run_and_only_one_of_them_ends(tmp_path: Path) -> None:
    path = tmp_path / "crash-at"
    processes = [started(path) for _ in range(3)]
    try:
        unseen = tmp_path / "new"
        unseen.write_text("relay.published:3")
        unseen.rename(path)
        deadline = time.monotonic() + 20
        while path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
        ended = [process.poll() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert sorted(status is None for status in ended) == [False, True, True]
    assert 137 in ended


def test_a_point_that_the_file_does_not_name_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "crash-at"
    process = started(path)
    try:
        path.write_text("relay.published_:1")
        time.sleep(0.3)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
    assert path.exists()
