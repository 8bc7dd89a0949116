"""Machine code is made ahead, once for a machine and the sources as they are, and nobody waits for it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from alphintra.engine.compiling import kernel_names
from alphintra.engine.graph import compile_plan
from alphintra.engine.templates import crossover
from alphintra.strategy.gateways import machine_code

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

PLAN = compile_plan(crossover(2, 4, average="sma"))
_DEADLINE_S = 600


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep machine code in a folder of the test's own, and this process as it is."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "code"))
    monkeypatch.setattr(machine_code, "_yield_to_others", lambda: None)
    return tmp_path / "code"


def compiling(names: Collection[str], *, until: str = "") -> Callable[..., None]:
    def compile_kernels(told: Callable[[str], None], *, skip: Collection[str] = ()) -> None:
        for name in names:
            if name == until:
                raise KeyboardInterrupt
            if name not in skip:
                told(name)

    return compile_kernels


def test_what_a_killed_process_made_is_kept_and_the_rest_made_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine_code.made() == frozenset()
    names = sorted(kernel_names(PLAN))
    monkeypatch.setattr(machine_code, "compile_kernels", compiling(names, until=names[2]))
    with pytest.raises(KeyboardInterrupt):
        machine_code.main()
    (listed,) = folder.glob("*.txt")
    with listed.open("a") as file:
        file.write(names[3][:4])  # half a name
    assert machine_code.made() == set(names[:2])
    monkeypatch.setattr(machine_code, "compile_kernels", compiling(names))
    assert machine_code.main() == 0
    assert machine_code.made() == {*names, names[3][:4]}
    assert len([line for line in listed.read_text().splitlines() if line in names]) == len(names)


def test_of_two_processes_one_makes_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    monkeypatch.setattr(machine_code, "compile_kernels", compiling(["a"]))
    with (folder / "machine-code.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert machine_code.main() == 0
        assert machine_code.made() == frozenset()
    assert machine_code.main() == 0
    assert "a" in machine_code.made()


def test_a_run_of_middling_length_is_interpreted_until_its_kernels_are_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not machine_code.is_worth_compiling(PLAN, 100_000)
    assert machine_code.is_worth_compiling(PLAN, 1_000_000)
    monkeypatch.setattr(machine_code, "compile_kernels", compiling(sorted(kernel_names(PLAN))))
    machine_code.main()
    assert machine_code.is_worth_compiling(PLAN, 100_000)
    assert not machine_code.is_worth_compiling(PLAN, 1_000)
    assert {path.suffix for path in folder.iterdir()} == {".txt", ".lock"}


def test_machine_code_for_another_machine_does_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_code, "compile_kernels", compiling(["a"]))
    machine_code.main()
    assert "a" in machine_code.made()
    assert folder.exists()
    monkeypatch.setattr("platform.machine", lambda: "another")
    assert machine_code.made() == frozenset()


def test_an_installation_nobody_may_write_to_keeps_it_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    machine_code.settle(tmp_path)
    assert not os.environ["NUMBA_CACHE_DIR"]
    assert machine_code.folder_of().name == "__pycache__"
    monkeypatch.setattr(machine_code, "_is_writable", lambda _folder: False)
    machine_code.settle(tmp_path)
    assert machine_code.folder_of() == tmp_path / "machine-code"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_process_makes_it_and_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    environ = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", machine_code.__name__, machine_code.WITH_PARENT]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE) as program:  # noqa: S603 - our own program
        deadline = time.monotonic() + _DEADLINE_S
        while not any("the account\n" in path.read_text() for path in tmp_path.glob("*.txt")):
            assert time.monotonic() < deadline
            assert program.poll() is None
            time.sleep(0.2)
        assert program.stdin is not None
        program.stdin.close()
        assert program.wait(60) == 1
    assert list(tmp_path.rglob("*.nbc"))
