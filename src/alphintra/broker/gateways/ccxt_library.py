"""The ccxt library, which is an extra of its own (``alphintra[ccxt]``): loaded when a connection needs it."""

from __future__ import annotations

import sys
from functools import cache
from importlib import util
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["exchange_class", "require_exchange"]

_PACKAGES = ("ccxt", "ccxt.async_support")
_SHOWN = 40
_loading = Lock()


def require_exchange(name: str) -> Path:
    """Return the file of an exchange. Raises ADAPTER_NOT_INSTALLED and EXCHANGE_UNKNOWN."""
    spec = util.find_spec("ccxt")
    if spec is None or not spec.submodule_search_locations:
        message = (
            "the adapter ccxt needs an extra that is not installed: "
            "pip install --require-hashes -r requirements/ccxt.txt, then start broker again"
        )
        raise AlphintraError("ADAPTER_NOT_INSTALLED", message, kind=Kind.UNAVAILABLE, pointer="/adapter")
    folder = Path(spec.submodule_search_locations[0])
    found = folder / "async_support" / f"{name}.py"
    if not (name.isalnum() and name.isascii() and name.islower()) or not found.is_file():
        message = f"ccxt knows no exchange {name[:_SHOWN]!r}: give its id there, e.g. kraken"
        raise AlphintraError("EXCHANGE_UNKNOWN", message, pointer="/exchange")
    return folder


@cache
def exchange_class(name: str) -> Any:  # noqa: ANN401 - the library's classes are not typed
    """Return the library's class of an exchange. Raises ADAPTER_NOT_INSTALLED and EXCHANGE_UNKNOWN.

    The library's packages load every one of its hundred exchanges, which takes four seconds and 100 MB. One exchange
    and what it stands on is loaded here: while it is, empty packages stand in for the two.
    """
    folder = require_exchange(name)
    with _loading:
        standing_in = [package for package in _PACKAGES if package not in sys.modules]
        try:
            for package in standing_in:
                module = ModuleType(package)
                module.__path__ = [str(folder.joinpath(*package.split(".")[1:]))]
                sys.modules[package] = module
            if "ccxt" in standing_in:
                vars(sys.modules["ccxt"]).update(_names_at_the_top())
            loaded = __import__(f"ccxt.async_support.{name}", fromlist=[name])
        finally:
            for package in standing_in:
                del sys.modules[package]
    return getattr(loaded, name)


def _names_at_the_top() -> dict[str, object]:
    """Return what the library's modules import from its top package."""
    from ccxt.base import errors, exchange  # noqa: PLC0415 - an extra, which may be absent

    return {**{name: getattr(errors, name) for name in dir(errors)}, "Exchange": exchange.Exchange}
