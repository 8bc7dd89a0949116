"""Replacing the databases' passwords: who may do so now, and what a killed replacement left."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from alphintra.dataplane.layouts import Placement, login_roles
from alphintra.dataplane.reporting_grants import reporter_roles
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import next_secret, role_secret
from alphintra.runtime.home import Home

__all__ = ["keep_coming_passwords", "passwords_lock"]

_LOCK_FILE = "passwords.lock"
_TRY_EVERY_S = 0.05


@contextmanager
def passwords_lock(home: Home, *, wait_s: float) -> Iterator[None]:
    """Hold the right to set passwords on the servers of a home. Raises PASSWORDS_BUSY after waiting."""
    descriptor = os.open(home.run / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    detail = "another command is setting passwords in this home: wait for it to end"
                    raise AlphintraError("PASSWORDS_BUSY", detail, kind=Kind.CONFLICT) from error
            time.sleep(_TRY_EVERY_S)
        yield
    finally:
        os.close(descriptor)


def keep_coming_passwords(home: Home, layout: Iterable[Placement]) -> tuple[str, ...]:
    """Make passwords that a killed rotation left half set the ones that hold; return whose.

    The servers then have to be told: provisioning does. To be called under `passwords_lock`.
    """
    placed = tuple(layout)
    roles = (*login_roles(placed), *reporter_roles(placed))
    return tuple(role for role in roles if home.replace_secret(role_secret(role), by=next_secret(role)))
