"""Which installation a command is about: the home and the settings it finds in the environment."""

from __future__ import annotations

import os

from alphintra.runtime.home import Home
from alphintra.runtime.settings import RuntimeSettings, home_from, load_settings

__all__ = ["KEY_ID_VARIABLE", "KEY_SECRET_VARIABLE", "existing_home", "settings"]

KEY_ID_VARIABLE = "ALPHINTRA_API_KEY_ID"
KEY_SECRET_VARIABLE = "ALPHINTRA_API_SECRET"  # noqa: S105 - the name of a variable

# Variables the command line itself reads; the settings loader would take them for misspelt settings.
_OWN = frozenset(name.removeprefix("ALPHINTRA_") for name in (KEY_ID_VARIABLE, KEY_SECRET_VARIABLE))


def settings() -> RuntimeSettings:
    """Return the settings of the installation the environment names. Raises CONFIG_* and SECRET_INLINE."""
    return load_settings(home_from(os.environ), environ=os.environ, also_known=_OWN)


def existing_home() -> Home:
    """Return the home that an earlier start created. Raises HOME_*, SECRET_MODE and CONFIG_*."""
    return Home.existing(settings().home)
