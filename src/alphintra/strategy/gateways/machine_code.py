"""Machine code of the kernels: where it is kept, whether it is there, and a process that makes it while nobody waits.

``python -m alphintra.strategy.gateways.machine_code`` makes it and ends; it yields to everything else.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import platform
import sys
import tempfile
import threading
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import alphintra
from alphintra.engine import kernels
from alphintra.engine.compiling import compile_kernels, kernel_names
from alphintra.engine.graph.evaluation import INTERPRETED_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alphintra.engine.graph.plan import Plan

__all__ = ["Compiler", "folder_of", "is_worth_compiling", "made", "settle"]

FOLDER: Final = "NUMBA_CACHE_DIR"  # where numba keeps machine code; without it, beside each module
SOONER_BARS: Final = 300_000  # from here on compiling a strategy's kernels takes less than interpreting them
WAIT_S: Final = 60.0
LEVEL: Final = 19
WITH_PARENT: Final = "--with-parent"


def settle(home: Path) -> None:
    """Choose where this process and those it starts keep machine code: beside the modules, or else in a folder.

    It has to be called before the first kernel is compiled.
    """
    beside = Path(kernels.__file__).parent / "__pycache__"
    if not os.environ.get(FOLDER) and not _is_writable(beside):
        os.environ[FOLDER] = str(home / "machine-code")


def folder_of() -> Path:
    """Return the folder that tells which kernels have machine code."""
    chosen = os.environ.get(FOLDER)
    return Path(chosen) if chosen else Path(kernels.__file__).parent / "__pycache__"


def made() -> frozenset[str]:
    """Return the names of the kernels whose machine code was made for this machine from the sources as they are."""
    try:
        lines = _list().read_text("utf-8").splitlines(keepends=True)
    except OSError:
        return frozenset()
    whole = (line.strip() for line in lines if line.endswith("\n"))  # a killed process may leave half a name
    return frozenset(name for name in whole if name)


def is_worth_compiling(plan: Plan, bars: int) -> bool:
    """Tell whether a run should use machine code: not if somebody had to wait for a compiler longer than without it."""
    if bars * len(plan.steps) <= INTERPRETED_MAX:
        return False
    return bars >= SOONER_BARS or kernel_names(plan) <= made()


class Compiler:
    """Has the machine code made by a process of its own, some time after the start."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s

    async def run(self) -> None:
        """Make what is missing, then rest until cancelled; the process ends with this one, whatever ended that."""
        await asyncio.sleep(self._wait_s)
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            WITH_PARENT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await program.wait()
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
        await asyncio.Event().wait()


def main(*, has_parent: bool = False) -> int:
    """Make the machine code of all kernels that have none; 0 also where another process is at it.

    With a parent it ends when its input ends: whoever started it holds the other side, and writes nothing.
    """
    if has_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()
    _yield_to_others()
    folder = folder_of()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "machine-code.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        known = made()
        with _list().open("a", encoding="utf-8") as listed:
            listed.write("\n")  # ends what a killed process left half written

            def note(name: str) -> None:
                if name not in known:
                    listed.write(f"{name}\n")
                    listed.flush()

            compile_kernels(note, skip=known)
    return 0


def _list() -> Path:
    return folder_of() / f"machine-code-{_stamp()}.txt"


def _stamp() -> str:
    """Return what changes with anything machine code depends on: sources, compiler, interpreter, processor."""
    digest = hashlib.sha256("\n".join(_dependencies()).encode())
    root = Path(alphintra.__file__).parent / "engine"
    for path in sorted((*(root / "kernels").glob("*.py"), *(root / "account").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _dependencies() -> Iterator[str]:
    yield from (alphintra.__version__, version("numba"), version("llvmlite"), sys.version, platform.machine())
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        yield from (next((line for line in lines if line.startswith(name)), "") for name in ("model name", "flags"))


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _yield_to_others() -> None:
    os.nice(LEVEL)
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(has_parent=WITH_PARENT in sys.argv))
