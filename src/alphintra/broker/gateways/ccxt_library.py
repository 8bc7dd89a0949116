"""The ccxt library, which is an extra of its own (``alphintra[ccxt]``): loaded when a connection needs it."""

from __future__ import annotations

import asyncio
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["exchange_class", "load_exchange", "require_exchange"]

_PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")
_SHOWN = 40
_loading = Lock()
_loaded: dict[str, Any] = {}


def require_exchange(name: str) -> Path:
    """Return the folder of the library. Raises ADAPTER_NOT_INSTALLED, and EXCHANGE_UNKNOWN where it has no such one."""
    # Not importlib.util.find_spec, which looks at sys.modules, where a package stands in while another thread loads.
    spec = PathFinder.find_spec("ccxt")
    if spec is None or not spec.submodule_search_locations:
        message = (
            "the adapter ccxt needs an extra that is not installed: "
            "pip install --require-hashes -r requirements/ccxt.txt, then start broker again; "
            "an image is built with it by --build-arg EXTRAS=ccxt"
        )
        raise AlphintraError("ADAPTER_NOT_INSTALLED", message, kind=Kind.UNAVAILABLE, pointer="/adapter")
    folder = Path(spec.submodule_search_locations[0])
    found = folder / "async_support" / f"{name}.py"
    if not (name.isalnum() and name.isascii() and name.islower()) or not found.is_file():
        message = f"ccxt knows no exchange {name[:_SHOWN]!r}: give its id there, e.g. kraken"
        raise AlphintraError("EXCHANGE_UNKNOWN", message, pointer="/exchange")
    return folder


async def load_exchange(name: str) -> None:
    """Load an exchange in a thread: it takes half a second, for which nobody else is to wait.

    Raises ADAPTER_NOT_INSTALLED and EXCHANGE_UNKNOWN.
    """
    if name not in _loaded:
        await asyncio.to_thread(exchange_class, name)


def exchange_class(name: str) -> Any:  # noqa: ANN401 - the library's classes are not typed
    """Return the library's class of an exchange, the one with streams where it has one.

    Raises ADAPTER_NOT_INSTALLED and EXCHANGE_UNKNOWN. The library's packages load every one of its hundred exchanges,
    which takes four seconds and 100 MB. One exchange and what it stands on is loaded here: while it is, packages that
    load what they are asked for stand in for them. One thread loads at a time; the others wait for it.
    """
    if name not in _loaded:
        folder = require_exchange(name)
        with _loading:
            if name not in _loaded:
                _loaded[name] = _load(name, folder)
    return _loaded[name]


class _Package(ModuleType):
    """Stands in for a package of exchanges, each of which is known there by its class."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and value.__name__ not in _PACKAGES:
            value = getattr(value, name, value)
        super().__setattr__(name, value)


def _load(name: str, folder: Path) -> Any:  # noqa: ANN401 - as above
    standing_in = [package for package in _PACKAGES if package not in sys.modules]
    try:
        for package in standing_in:
            sys.modules[package] = _Package(package, folder)
            parent, _, child = package.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, sys.modules[package])
        if "ccxt" in standing_in:
            vars(sys.modules["ccxt"]).update(_names_at_the_top())
        kind = "pro" if (folder / "pro" / f"{name}.py").is_file() else "async_support"
        loaded = [__import__(f"ccxt.{each}.{name}", fromlist=[name]) for each in ("async_support", kind)]
        return getattr(loaded[-1], name)
    finally:
        for package in standing_in:
            del sys.modules[package]


def _names_at_the_top() -> dict[str, object]:
    """Return what the library's modules import from its top package."""
    from ccxt.base import decimal_to_precision, errors, exchange  # noqa: PLC0415 - an extra, which may be absent

    names = {name: getattr(each, name) for each in (errors, decimal_to_precision) for name in dir(each)}
    return {**names, "Exchange": exchange.Exchange}
