"""A fault point ends the process where, and only where, the environment says."""

from __future__ import annotations

import os
import subprocess
import sys

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
