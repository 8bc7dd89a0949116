"""Named points at which a test may end the process, as a power cut would.

``ALPHINTRA_CRASH_AT=name:n`` ends the process the n-th time it passes the point of that name (the first if ``:n`` is
left out); several, divided by commas, end it at whichever comes first. The supervisor gives the variable to the first
start of each process only, so that what it starts in place of an ended one lives.
"""

from __future__ import annotations

import os
from collections import Counter

from alphintra.kernel.errors import AlphintraError

__all__ = ["CRASH_VARIABLE", "armed_points", "fault_point"]

CRASH_VARIABLE = "ALPHINTRA_CRASH_AT"
_CRASH_STATUS = 137  # what a shell reports for SIGKILL


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


def fault_point(name: str) -> None:
    """Mark a point on a path whose interruption is tested; does nothing unless armed by the environment."""
    if name not in _armed:
        return
    _passed[name] += 1
    if _passed[name] == _armed[name]:
        os._exit(_CRASH_STATUS)
