"""Where numba keeps machine code, and when it is stale: the kernel's own file or the parts it calls have changed.

numba alone looks at the kernel's file and would go on with old machine code of a changed part.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

from alphintra.engine.kernels.marks import MARKED

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOCATORS", "Beside", "Chosen", "OfUser", "files_of"]


def files_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the modules whose parts a kernel may call: those its own imports parts of, and so on."""
    found, waiting = {function.__module__}, [function.__module__]
    while waiting:
        for value in vars(sys.modules[waiting.pop()]).values():
            if inspect.isfunction(value) and value in MARKED and value.__module__ not in found:
                found.add(value.__module__)
                waiting.append(value.__module__)
    return tuple(sorted(found))


class _Stamped:
    """What numba's own locators stamp, and the files of the parts."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[call-arg] # of the locator mixed with
        self._files = files_of(py_func)

    def get_source_stamp(self) -> bytes:
        """Return what changes with the sources."""
        shared = "".join(inspect.getsource(sys.modules[name]) for name in self._files)
        own: bytes = super().get_source_stamp()  # type: ignore[misc] # of the locator mixed with
        return hashlib.sha256(own + shared.encode()).digest()


class Chosen(_Stamped, UserProvidedCacheLocator):
    """In the folder that NUMBA_CACHE_DIR names."""


class Beside(_Stamped, InTreeCacheLocator):
    """In __pycache__ beside the kernel, where that can be written."""


class OfUser(_Stamped, UserWideCacheLocator):
    """In the user's cache folder."""


LOCATORS = ",".join(f"{__name__}.{locator.__name__}" for locator in (Chosen, Beside, OfUser))
