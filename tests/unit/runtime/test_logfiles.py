"""Logs of processes: bounded in size, readable while they grow."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.home import Home
from alphintra.runtime.logfiles import LogFile, logs


def test_full_log_makes_room_and_only_the_newest_files_stay(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log", bytes_max=10, old_files=2)
    for number in range(6):
        log.write(f"line {number} is long\n".encode())
    log.close()
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {
        "x.log": "line 5 is long\n",
        "x.log.1": "line 4 is long\n",
        "x.log.2": "line 3 is long\n",
    }


def test_log_goes_on_where_an_earlier_run_stopped(tmp_path: Path) -> None:
    for text in (b"first\n", b"second\n"):
        log = LogFile(tmp_path / "x.log", bytes_max=6)
        log.write(text)
        log.close()
    assert (tmp_path / "x.log.1").read_bytes() == b"first\n"
    assert (tmp_path / "x.log").read_bytes() == b"second\n"


def test_last_line_is_the_last_with_text(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log")
    assert log.last_line() == ""
    log.write(b"x" * 9_000 + b"\nFATAL: could not bind\n\n  \n")
    assert log.last_line() == "FATAL: could not bind"
    log.close()


def test_what_ended_a_server_is_preferred_to_what_it_said_on_its_way_out(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log")
    log.write(b"FATAL: of an earlier start\n")
    since = log.end()
    log.write(b"LOG: starting\n")
    assert log.last_line(since=since) == "LOG: starting"
    log.write(b"FATAL: could not bind\nLOG: shut down\n")
    assert log.last_line(since=since) == "FATAL: could not bind"
    log.close()


def test_last_lines_are_read_back(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    (home.logs / "edge.log").write_text("a\nb\nc\n")
    assert list(logs(home, "edge", lines=2)) == ["b", "c"]


def test_unknown_log_lists_those_there_are(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    (home.logs / "edge.log").write_text("a\n")
    with pytest.raises(AlphintraError) as caught:
        logs(home, "../secrets/x")
    assert caught.value.code == "LOG_UNKNOWN"
    assert "edge" in caught.value.detail


def test_followed_log_gives_new_lines_also_after_a_rotation(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    log = LogFile(home.logs / "edge.log", bytes_max=8)
    log.write(b"old old\n")
    followed = logs(home, "edge", follow=True)
    assert next(followed) == "old old"
    log.write(b"ne")  # rotates first
    log.write(b"w\n")
    log.write(b"newer\n")
    log.close()
    assert list(islice(followed, 2)) == ["new", "newer"]
    followed.close()  # type: ignore[attr-defined]  # a generator
