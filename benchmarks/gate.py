"""Exit status 1 where this engine takes more than four times as long as the hand-written loop.

``python -m benchmarks.gate``. Loop and engine run one after the other, the fastest of several runs of each counts, and
what does not meet the bound is tried again and again, with more runs each time: a machine that does other things makes
a single ratio worse, never all of them better than they are. Where loop and engine come to something else, it fails
with what differs.
"""

from __future__ import annotations

import sys

from benchmarks.engines import ratio_of

RATIO_MAX = 4.0
REPEATS = (3, 5, 9, 15, 25, 25, 25, 25)


def main() -> int:
    """Hold every workload against its loop."""
    status = 0
    for work in ("w1", "w2", "w3", "w4"):
        ratio, tries = _best(work)
        is_met = ratio <= RATIO_MAX
        told = "met" if is_met else f"more than {RATIO_MAX:g}"
        sys.stdout.write(f"{work}: {ratio:.2f} times the loop, {told} ({tries} tries)\n")
        sys.stdout.flush()
        status |= not is_met
    return int(status)


def _best(work: str) -> tuple[float, int]:
    """Return the best ratio and after how many tries it was met, or all of them."""
    ratio = float("inf")
    for tries, repeats in enumerate(REPEATS, start=1):
        ratio = min(ratio, ratio_of(work, repeats=repeats))
        if ratio <= RATIO_MAX:
            return ratio, tries
    return ratio, len(REPEATS)


if __name__ == "__main__":
    sys.exit(main())
