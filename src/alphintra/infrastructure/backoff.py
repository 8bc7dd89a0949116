"""How long to wait before trying again."""

from __future__ import annotations

__all__ = ["retry_delay"]

_FIRST_S = 0.1
_MAX_S = 5.0
_DOUBLINGS_MAX = 10  # bounded apart from the delay: a float cannot hold two to the power of a long night's failures


def retry_delay(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row: 0.2, doubling, at most 5."""
    return min(_FIRST_S * 2.0 ** min(failures, _DOUBLINGS_MAX), _MAX_S)
