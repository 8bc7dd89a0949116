"""A chaos run steps the clock of our processes through a file; nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from alphintra.infrastructure.clock_steps import CLOCK_FILE_VARIABLE, _read, stepped_by

ASKS = "from alphintra.infrastructure.clock_steps import stepped_by; print(stepped_by().total_seconds())"


@pytest.mark.parametrize(
    ("text", "seconds"), [("3600", 3600), ("-1.5\n", -1.5), ("", 0), ("soon", 0), ("nan", 0), ("1e300", 0)]
)
def test_a_step_is_read_and_nonsense_is_none(tmp_path: Path, text: str, seconds: float) -> None:
    path = tmp_path / "step"
    path.write_text(text)
    assert _read(path) == timedelta(seconds=seconds)


def test_a_file_that_is_not_there_steps_nothing(tmp_path: Path) -> None:
    assert _read(tmp_path / "none") == timedelta(0)
    assert stepped_by() == timedelta(0)


def test_a_process_that_is_given_the_file_takes_its_step(tmp_path: Path) -> None:
    path = tmp_path / "step"
    path.write_text("-3600")
    environ = {**os.environ, CLOCK_FILE_VARIABLE: str(path)}
    done = subprocess.run([sys.executable, "-c", ASKS], env=environ, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.strip() == "-3600.0"
