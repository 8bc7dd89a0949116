"""Named points at which a test may end the process, as a power cut would.

``ALPHINTRA_CRASH_AT=name:n`` ends the process the n-th time it passes the point of that name.
"""

from __future__ import annotations

import os
from collections import Counter

__all__ = ["fault_point"]

_passed: Counter[str] = Counter()


def _armed() -> tuple[str, int]:
    name, _, count = os.environ.get("ALPHINTRA_CRASH_AT", "").partition(":")
    return name, int(count or "1")


_NAME, _COUNT = _armed()
_CRASH_STATUS = 137  # what a shell reports for SIGKILL


def fault_point(name: str) -> None:
    """Mark a point on a path whose interruption is tested; does nothing unless armed by the environment."""
    if not _NAME or name != _NAME:
        return
    _passed[name] += 1
    if _passed[name] == _COUNT:
        os._exit(_CRASH_STATUS)
