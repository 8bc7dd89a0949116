"""Exit status 1 where this engine takes more than four times as long as the hand-written loop.

``python -m benchmarks.gate``. The fastest of several runs counts, in the best of three processes, so that what else
the machine does hardly matters. Where loop and engine come to something else, it fails with what differs.
"""

from __future__ import annotations

import sys

from benchmarks.engines import ratio_of

RATIO_MAX = 4.0
TRIES = 3


def main() -> int:
    """Hold every workload against its loop."""
    status = 0
    for work in ("w1", "w2", "w3", "w4"):
        ratio = min(ratio_of(work) for _ in range(TRIES))
        is_met = ratio <= RATIO_MAX
        sys.stdout.write(f"{work}: {ratio:.2f} times the loop, {'met' if is_met else f'more than {RATIO_MAX:g}'}\n")
        status |= not is_met
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
