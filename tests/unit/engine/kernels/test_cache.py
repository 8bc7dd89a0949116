"""Kept machine code is stale as soon as the kernel's file, or a part that kernels of any file call, has changed."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from alphintra.engine.kernels import windows


@pytest.mark.parametrize("name", ["Beside", "OfUser"])
def test_a_changed_part_makes_what_was_kept_stale(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphintra.engine.kernels import cache  # noqa: PLC0415 - numba takes a second to import

    locator = getattr(cache, name)(windows.sma.interpreted, windows.__file__)
    before = locator.get_source_stamp()
    assert locator.get_source_stamp() == before
    of_parts = inspect.getsource

    def changed(module: ModuleType) -> str:
        return of_parts(module) + "# another line\n"

    monkeypatch.setattr(inspect, "getsource", changed)
    assert locator.get_source_stamp() != before
