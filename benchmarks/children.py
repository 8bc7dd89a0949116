"""Programs of this package that run in a process of their own: one JSON value in, one out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["ROOT", "MeasureError", "bare_environ", "measure_apart"]

ROOT: Final = Path(__file__).resolve().parents[1]
_TIMEOUT_S: Final = 300


class MeasureError(Exception):
    """Something could not be measured; the text says what and why."""


def bare_environ(**more: str) -> dict[str, str]:
    """Return the environment without settings of an installation, plus what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALPHINTRA_")}
    return {**kept, **more}


def measure_apart(module: str, order: Mapping[str, object], *, python: str = sys.executable) -> Any:  # noqa: ANN401 - JSON
    """Run ``python -m benchmarks.<module>`` with the order on standard input; return what it prints as JSON.

    Raises MeasureError with its last words if it fails.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        [python, "-m", f"benchmarks.{module}"],
        input=json.dumps(order),
        cwd=ROOT,
        env=bare_environ(),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise MeasureError(f"benchmarks.{module} ended with status {done.returncode}: {words[-1] if words else ''}")
    return json.loads(done.stdout)
