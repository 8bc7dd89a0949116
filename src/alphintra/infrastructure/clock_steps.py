"""How far the clock of this process is stepped, as a chaos run says: a machine's own clock must not be touched.

``ALPHINTRA_CLOCK_FILE=path`` names a file with a number of seconds, read again and again; without it, or without the
file, nothing is stepped.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from math import isfinite
from pathlib import Path

__all__ = ["CLOCK_FILE_VARIABLE", "stepped_by"]

CLOCK_FILE_VARIABLE = "ALPHINTRA_CLOCK_FILE"
_LOOK_EVERY_S = 0.05
_STEP_MAX_S = 10 * 86_400.0
_NONE = timedelta(0)

_step = _NONE


def stepped_by() -> timedelta:
    """Return what is to be added to the machine's time."""
    return _step


def _read(path: Path) -> timedelta:
    """Return the step a file asks for; none for what cannot be understood."""
    try:
        seconds = float(path.read_text(encoding="utf-8").strip() or "0")
    except (OSError, ValueError):
        return _NONE
    return timedelta(seconds=seconds) if isfinite(seconds) and abs(seconds) <= _STEP_MAX_S else _NONE


def _watch(path: Path) -> None:
    global _step  # noqa: PLW0603 - one clock for the process
    while True:
        _step = _read(path)
        time.sleep(_LOOK_EVERY_S)


if os.environ.get(CLOCK_FILE_VARIABLE):
    _file = Path(os.environ[CLOCK_FILE_VARIABLE])
    _step = _read(_file)
    threading.Thread(target=_watch, args=(_file,), name="clock-steps", daemon=True).start()
