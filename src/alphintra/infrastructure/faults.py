"""Named points at which a test may end the process, as a power cut would.

``ALPHINTRA_CRASH_AT=name:n`` ends the process the n-th time it passes the point of that name (the first if ``:n`` is
left out); several, divided by commas, end it at whichever comes first. The supervisor gives the variable to the first
start of each process only, so that what it starts in place of an ended one lives.

``ALPHINTRA_CRASH_FILE=path`` lets a chaos run arm points of processes that run: whichever process first passes a point
named in the file removes the file and ends. Neither does anything unless it is set.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path

from alphintra.kernel.errors import AlphintraError

__all__ = ["CRASH_FILE_VARIABLE", "CRASH_VARIABLE", "armed_points", "fault_point"]

CRASH_VARIABLE = "ALPHINTRA_CRASH_AT"
CRASH_FILE_VARIABLE = "ALPHINTRA_CRASH_FILE"
_CRASH_STATUS = 137  # what a shell reports for SIGKILL
_LOOK_EVERY_S = 0.05


def armed_points(text: str) -> dict[str, int]:
    """Return the number of the pass that ends the process, by point. Raises CRASH_AT for what cannot be understood."""
    points: dict[str, int] = {}
    for item in filter(None, text.split(",")):
        name, _, count = item.partition(":")
        if not name or not (count or "1").isdecimal() or int(count or "1") < 1:
            detail = f"{CRASH_VARIABLE} is {text!r}: write it as point:pass,point:pass, e.g. trading.committed:1"
            raise AlphintraError("CRASH_AT", detail, pointer=CRASH_VARIABLE)
        points[name] = int(count or "1")
    return points


_armed = armed_points(os.environ.get(CRASH_VARIABLE, ""))
_passed: Counter[str] = Counter()
_file = Path(os.environ[CRASH_FILE_VARIABLE]) if os.environ.get(CRASH_FILE_VARIABLE) else None


def fault_point(name: str) -> None:
    """Mark a point on a path whose interruption is tested; does nothing unless armed by the environment."""
    if name not in _armed:
        return
    _passed[name] += 1
    if _passed[name] == _armed[name] and _is_ours():
        os._exit(_CRASH_STATUS)


def _is_ours() -> bool:
    """Tell whether this process is the one to end: of several that pass a point of the file, whoever removes it."""
    if _file is None:
        return True
    try:
        _file.unlink()
    except FileNotFoundError:
        return False
    return True


def _watch(path: Path) -> None:
    """Arm what the file names, and nothing once it is gone."""
    known = ""
    while True:
        try:
            text = path.read_text(encoding="utf-8").strip()
        except OSError:
            text = ""
        if text != known:
            known = text
            _passed.clear()
            _armed.clear()
            _armed.update(armed_points(text))
        time.sleep(_LOOK_EVERY_S)


if _file is not None:
    threading.Thread(target=_watch, args=(_file,), name="fault-points", daemon=True).start()
