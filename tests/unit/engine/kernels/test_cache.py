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


def test_the_accounts_machine_code_depends_on_every_file_its_parts_are_in() -> None:
    from alphintra.engine.account.kernel import account  # noqa: PLC0415 - as above
    from alphintra.engine.kernels import cache  # noqa: PLC0415

    found = {name.rpartition(".")[2] for name in cache.files_of(account.interpreted)}
    assert found == {"kernel", "course", "levels", "lots", "stretches", "waiting", "amounts", "exact"}
    assert {name.rpartition(".")[2] for name in cache.files_of(windows.sma.interpreted)} == {"windows", "parts"}
