"""Where numba keeps machine code, and when it is stale: the kernel's own file or the parts it calls have changed.

numba alone looks at the kernel's file and would go on with old machine code of a changed part.
"""

from __future__ import annotations

import hashlib
import inspect

from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

from alphintra.engine.kernels import amounts, exact, parts

__all__ = ["LOCATORS", "Beside", "Chosen", "OfUser"]


def _stamp(own: bytes) -> bytes:
    shared = "".join(inspect.getsource(module) for module in (amounts, exact, parts))
    return hashlib.sha256(own + shared.encode()).digest()


class Chosen(UserProvidedCacheLocator):
    """In the folder that NUMBA_CACHE_DIR names."""

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        return _stamp(super().get_source_stamp())  # type: ignore[no-untyped-call]


class Beside(InTreeCacheLocator):
    """In __pycache__ beside the kernel, where that can be written."""

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        return _stamp(super().get_source_stamp())  # type: ignore[no-untyped-call]


class OfUser(UserWideCacheLocator):
    """In the user's cache folder."""

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        return _stamp(super().get_source_stamp())  # type: ignore[no-untyped-call]


LOCATORS = ",".join(f"{__name__}.{locator.__name__}" for locator in (Chosen, Beside, OfUser))
