"""A command line that finds no installation but the one a test makes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from alphintra.cli.main import main


class Ended(NamedTuple):
    """What a command left behind."""

    status: int
    output: str
    errors: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("ALPHINTRA_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "home"
    monkeypatch.setenv("ALPHINTRA_HOME", str(path))
    return path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    del home  # the environment is what matters

    def call(*arguments: str) -> Ended:
        status = main(arguments)
        shown = capsys.readouterr()
        return Ended(status, shown.out, shown.err)

    return call
