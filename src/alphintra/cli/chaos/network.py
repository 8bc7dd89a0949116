"""A network of its own for a run, whose only interface can be taken down: a partition that no proxy plays.

Linux as root only. Nothing of the machine's own network is touched: the process that asks, and what it starts from then
on, see nothing but a loopback of their own.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys

__all__ = ["leave_network", "set_loopback"]

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_REQUEST = "16sh14x"


def leave_network() -> bool:
    """Move this thread, and all that it starts, into a network of its own; False where that is not allowed."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        return False
    set_loopback(is_up=True)
    return True


def set_loopback(*, is_up: bool) -> None:
    """Take the loopback of the network this thread is in up or down: while it is down nothing reaches anything."""
    import fcntl  # noqa: PLC0415 - not there on every platform

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        found = fcntl.ioctl(asking, _SIOCGIFFLAGS, struct.pack(_REQUEST, b"lo", 0))
        flags = struct.unpack(_REQUEST, found)[1]
        wanted = flags | _IFF_UP if is_up else flags & ~_IFF_UP
        fcntl.ioctl(asking, _SIOCSIFFLAGS, struct.pack(_REQUEST, b"lo", wanted))
