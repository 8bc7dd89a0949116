"""A fault point ends the process where, and only where, the environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.installation import wait_until

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
    print("passed", flush=True)
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


def arm(path: Path, text: str) -> None:
    unseen = path.with_suffix(".new")
    unseen.write_text(text)
    unseen.rename(path)


def test_a_file_arms_processes_that_run_and_each_time_only_one_of_them_ends(tmp_path: Path) -> None:
    path = tmp_path / "crash-at"
    processes = [started(path) for _ in range(3)]

    def ended() -> list[int]:
        return [status for process in processes if (status := process.poll()) is not None]

    try:
        for count in (1, 2, 3):
            arm(path, f"relay.published:{count}")
            wait_until(lambda: not path.exists() and len(ended()) >= count, f"the end of process {count}", 20)  # noqa: B023 - asked at once
            assert ended() == [137] * count
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_point_that_the_file_does_not_name_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "crash-at"
    process = started(path)
    try:
        arm(path, "relay.published_:1,relay.published:200")
        wait_until(lambda: process.poll() is not None, "the end of the process", 20)
    finally:
        process.kill()
        printed, _ = process.communicate()
    assert len(printed.splitlines()) >= 199
