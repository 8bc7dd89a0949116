"""What other commands do about a running platform: see how it is, and stop it."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home
from alphintra.runtime.lock import holder_of
from alphintra.runtime.policy import Phase, PlatformState, state_from_json, state_to_json
from alphintra.runtime.proc import pss_kib
from alphintra.runtime.supervisor import STATE_FILE

__all__ = ["PlatformStatus", "down", "status"]

_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformStatus:
    """How one installation is now.

    Args:
        is_running: whether its supervisor lives.
        was_killed: whether the last one ended without stopping in order; the next start clears up.
        state: last published state; None where nothing was ever started.
        memory_kib: proportional set size by process name, ``supervisor`` among them; empty if it does not run.
    """

    is_running: bool
    was_killed: bool
    state: PlatformState | None
    memory_kib: dict[str, int]

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "is_running": self.is_running,
            "was_killed": self.was_killed,
            "state": None if self.state is None else state_to_json(self.state),
            "memory_kib": self.memory_kib,
        }


def status(home: Home) -> PlatformStatus:
    """Return how the installation is now. Raises STATE_UNREADABLE if the state file is not ours."""
    is_running = holder_of(home) is not None
    state = _read_state(home)
    was_killed = not is_running and state is not None and state.phase is not Phase.STOPPED
    memory: dict[str, int] = {}
    if is_running and state is not None:
        memory = {process.name: pss_kib(process.pid) for process in state.processes if process.pid is not None}
        memory["supervisor"] = pss_kib(state.pid) - sum(memory.values())
    return PlatformStatus(is_running=is_running, was_killed=was_killed, state=state, memory_kib=memory)


def down(home: Home, *, timeout_s: float = 60.0) -> None:
    """Stop the platform in order and return when all of its processes have ended.

    Raises:
        AlphintraError: NOT_RUNNING, DOWN_TIMEOUT (it goes on stopping).
    """
    pid = holder_of(home)
    if not pid:
        detail = f"Alphintra does not run in {home.path}: start it with 'alphintra up'"
        raise AlphintraError("NOT_RUNNING", detail, kind=Kind.CONFLICT, pointer="ALPHINTRA_HOME")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while holder_of(home) == pid:
        if time.monotonic() > deadline:
            detail = f"the supervisor (process {pid}) still stops its processes after {timeout_s:g} s: see its log"
            raise AlphintraError("DOWN_TIMEOUT", detail, kind=Kind.UNAVAILABLE)
        time.sleep(_POLL_S)


def _read_state(home: Home) -> PlatformState | None:
    path = home.run / STATE_FILE
    try:
        return state_from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        detail = f"{path} cannot be understood: remove it and start again"
        raise AlphintraError("STATE_UNREADABLE", detail, kind=Kind.UNAVAILABLE) from error
