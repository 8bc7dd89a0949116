"""Where numba keeps machine code, and when it is stale: the kernel's own file or the parts it calls have changed.

numba alone looks at the kernel's file and would go on with old machine code of a changed part.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

__all__ = ["LOCATORS", "Beside", "Chosen", "OfUser"]

_PARTS = Path(__file__).with_name("parts.py")


def _stamp(own: bytes) -> bytes:
    return hashlib.sha256(own + hashlib.sha256(_PARTS.read_bytes()).digest()).digest()


class Chosen(UserProvidedCacheLocator):  # type: ignore[misc]
    """In the folder that NUMBA_CACHE_DIR names."""

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        return _stamp(super().get_source_stamp())


class Beside(InTreeCacheLocator):  # type: ignore[misc]
    """In __pycache__ beside the kernel, where that can be written."""

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        return _stamp(super().get_source_stamp())


class OfUser(UserWideCacheLocator):  # type: ignore[misc]
    """In the user's cache folder."""

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        return _stamp(super().get_source_stamp())


LOCATORS = ",".join(f"{__name__}.{locator.__name__}" for locator in (Chosen, Beside, OfUser))
