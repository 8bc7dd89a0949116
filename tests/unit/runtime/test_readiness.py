"""A child's word that it is ready."""

from __future__ import annotations

import os

import pytest

from alphintra.runtime.readiness import announce_ready


def test_ready_child_writes_one_line_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    monkeypatch.setenv("ALPHINTRA_READY_FD", str(write_end))
    announce_ready()
    announce_ready()
    assert os.read(read_end, 64) == b"READY\n"
    assert os.read(read_end, 64) == b""  # closed: nobody else writes
    os.close(read_end)
