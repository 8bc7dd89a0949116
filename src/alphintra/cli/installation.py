"""Which installation a command is about: its home, its settings, and where its edge answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home
from alphintra.runtime.settings import RuntimeSettings, home_from, load_settings

if TYPE_CHECKING:
    from alphintra.runtime.policy import PlatformState

__all__ = [
    "KEY_ID_VARIABLE",
    "KEY_SECRET_VARIABLE",
    "base_url",
    "existing_home",
    "published_state",
    "servers_home",
    "settings",
]

KEY_ID_VARIABLE = "ALPHINTRA_API_KEY_ID"
KEY_SECRET_VARIABLE = "ALPHINTRA_API_SECRET"  # noqa: S105 - the name of a variable

# Variables the command line itself reads; the settings loader would take them for misspelt settings.
_OWN = frozenset(name.removeprefix("ALPHINTRA_") for name in (KEY_ID_VARIABLE, KEY_SECRET_VARIABLE))
_STRATEGY = frozenset({"STRATEGY_PACKAGES", "STRATEGY_PATH"})  # which Python packages may run, read by strategy
_AUDIT = "ALPHINTRA_AUDIT_"  # what `alphintra db verify --url` reads: a URL, and a password for each role


def settings() -> RuntimeSettings:
    """Return the settings of the installation the environment names. Raises CONFIG_* and SECRET_INLINE."""
    return load_settings(home_from(os.environ), environ=os.environ, also_known=_OWN | _STRATEGY | _audit_variables())


def _audit_variables() -> frozenset[str]:
    return frozenset(name.removeprefix("ALPHINTRA_") for name in os.environ if name.startswith(_AUDIT))


def existing_home() -> Home:
    """Return the home that an earlier start created. Raises HOME_*, SECRET_MODE and CONFIG_*."""
    return Home.existing(settings().home)


def servers_home() -> Home:
    """Return the home if its databases can be asked. Raises NOT_RUNNING and what `existing_home` raises."""
    home = existing_home()
    if not settings().database_admin_url:
        base_url(home)  # the servers run while the platform does
    return home


def base_url(home: Home) -> str:
    """Return where the edge of the running platform answers. Raises NOT_RUNNING."""
    from alphintra.runtime.lock import holder_of  # noqa: PLC0415 - as in published_state

    pid = holder_of(home)
    state = published_state(home, pid) if pid else None
    if state is None or "http" not in state.ports:
        is_starting = bool(pid)
        hint = (
            "is still starting: try again in a moment" if is_starting else "does not run: start it with `alphintra up`"
        )
        raise AlphintraError("NOT_RUNNING", f"the platform in {home.path} {hint}", kind=Kind.UNAVAILABLE)
    return f"http://127.0.0.1:{state.ports['http']}"


def published_state(home: Home, pid: int) -> PlatformState | None:
    """Return what the supervisor with this process number published; None while the file is an earlier one's."""
    import json  # noqa: PLC0415 - `alphintra --help` does without

    from alphintra.runtime.policy import state_from_json  # noqa: PLC0415 - as above
    from alphintra.runtime.supervisor import STATE_FILE  # noqa: PLC0415 - as above

    try:
        state = state_from_json(json.loads((home.run / STATE_FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # none yet, or an older version's
        return None
    return state if state.pid == pid else None
