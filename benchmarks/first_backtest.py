"""What a newcomer waits for: ``python -m benchmarks.first_backtest`` in a fresh home, with nothing compiled before.

The package is copied without anything Python or numba have kept of it; the shipped prices are imported and a ready
strategy is run over them, both through the command line. Printed are seconds, and processor seconds of the platform.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import alphintra
from benchmarks.children import MeasureError
from benchmarks.installation import Installation

S_MAX: Final = 10.0
SHIPPED: Final = Path("data") / "us-stocks-daily-2000-2013.csv.gz"


def main() -> int:
    """Measure and tell; 1 where import and backtest take longer than ten seconds."""
    with tempfile.TemporaryDirectory(prefix="alphintra-first-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as an unprivileged account where this runs as root
        package = folder / "package" / "alphintra"
        shutil.copytree(Path(alphintra.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
        os.environ["PYTHONPATH"] = str(package.parent)
        os.environ.pop("NUMBA_CACHE_DIR", None)
        platform = Installation(folder / "home")
        try:
            return _measure(platform, package / SHIPPED)
        finally:
            platform.stop()


def _measure(platform: Installation, prices: Path) -> int:
    started, _ = platform.start()
    person, _token = platform.person()
    with person as api:
        key = api.post("/api-keys", {"name": "first", "scopes": ["read", "trade"]})
    environ = {"ALPHINTRA_API_KEY_ID": str(key["key_id"]), "ALPHINTRA_API_SECRET": str(key["secret"])}
    used = sum(platform.cpu_s().values())
    begun, taken = time.perf_counter(), 0.0
    for command in (
        ("data", "import", str(prices)),
        ("backtest", "run", "--template", "sma_crossover", "--symbol", "AAPL"),
        ("backtest", "run", "--template", "sma_crossover", "--symbol", "AAPL"),
    ):
        at = time.perf_counter()
        done = platform.run(*command, environ=environ)
        if done.returncode:
            raise MeasureError(f"alphintra {' '.join(command[:2])}: {done.stderr.strip()[-200:]}")
        sys.stdout.write(f"{' '.join(command[:2])}: {time.perf_counter() - at:.2f} s\n")
        if command[0] == "backtest" and not taken:
            taken = time.perf_counter() - begun
    used = sum(platform.cpu_s().values()) - used
    sys.stdout.write(f"import and first backtest: {taken:.2f} s (start before: {started:.2f} s); CPU {used:.2f} s\n")
    return int(taken > S_MAX)


if __name__ == "__main__":
    sys.exit(main())
