"""How the edge asks the supervisor for the inspector, which runs only while somebody looks: a file that is touched.

Nothing can be said by it but that: its contents are never read.
"""

from __future__ import annotations

import time
from pathlib import Path

from alphintra.runtime.home import Home

__all__ = ["Bell", "bell_path"]


def bell_path(home: Home) -> Path:
    """Return the file the edge touches."""
    return home.run / "inspector.wanted"


class Bell:
    """Whether the inspector is wanted: the file is there, or it is time for it to look of itself.

    Args:
        first_after_s: from now to its first look of itself.
        every_s: from then on.
    """

    def __init__(self, home: Home, *, first_after_s: float, every_s: float) -> None:
        self._path = bell_path(home)
        self._every_s = every_s
        self._due_s = time.monotonic() + first_after_s

    def is_rung(self) -> bool:
        """Tell whether it is wanted, and forget that it was."""
        now = time.monotonic()
        if now >= self._due_s:
            self._due_s = now + self._every_s
            return True
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
