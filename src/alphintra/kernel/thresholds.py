"""Where the colours of a verdict begin unless a person says otherwise: told to people, and judged by."""

from __future__ import annotations

from typing import Final

__all__ = [
    "DSR_GREEN",
    "DSR_RED",
    "OOS_T_GREEN",
    "PBO_GREEN",
    "PBO_RED",
    "STRESS_GREEN",
    "STRESS_RED",
    "TRADES_GREEN",
    "TRADES_RED",
]

DSR_GREEN: Final = 0.95
DSR_RED: Final = 0.5
PBO_GREEN: Final = 0.2
PBO_RED: Final = 0.5
OOS_T_GREEN: Final = 2.0
TRADES_GREEN: Final = 100
TRADES_RED: Final = 30
STRESS_GREEN: Final = 1.0
STRESS_RED: Final = 0.5
