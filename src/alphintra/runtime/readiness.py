r"""How a child process tells its supervisor that it is ready.

The protocol, for children in any language: the environment variable ``ALPHINTRA_READY_FD`` holds the number of an
inherited file descriptor; the child writes the six bytes ``READY\n`` to it once, and closes it. A child that ends, or
stays silent past its limit, before that has failed to start.
"""

from __future__ import annotations

import os

__all__ = ["READY_FD_VARIABLE", "READY_LINE", "announce_ready"]

READY_FD_VARIABLE = "ALPHINTRA_READY_FD"
READY_LINE = b"READY\n"


def announce_ready() -> None:
    """Tell the supervisor that this process now does its work; without a supervisor nothing is to be told."""
    number = os.environ.pop(READY_FD_VARIABLE, "")
    if not number:
        return
    descriptor = int(number)
    os.write(descriptor, READY_LINE)
    os.close(descriptor)
