"""What the kernel tells about running processes: who works where, who descends from whom, how much memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_alive", "processes_in", "processes_marked", "pss_kib", "with_descendants"]

_PROC = Path("/proc")


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that ended and waits for its parent does not."""
    fields = _stat_fields(pid)
    return bool(fields) and fields[0] not in "ZX"


def processes_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is the folder (those we may look at), in no order."""
    try:
        wanted = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [pid for pid in _pids() if _works_in(pid, wanted)]


def processes_marked(marker: str) -> list[int]:
    """Return the other processes started with ``marker`` (``NAME=value``) in their environment."""
    wanted = marker.encode()
    return [pid for pid in _pids() if pid != os.getpid() and wanted in _environment(pid)]


def with_descendants(pid: int) -> list[int]:
    """Return the process and all that descend from it, parents first."""
    children: dict[int, list[int]] = {}
    for other in _pids():
        fields = _stat_fields(other)
        if fields:
            children.setdefault(int(fields[1]), []).append(other)
    found = [pid]
    for known in found:
        found.extend(children.get(known, ()))
    return found


def pss_kib(pid: int) -> int:
    """Return the proportional set size of a process and its descendants in KiB.

    Memory that n processes share counts 1/n in each, so that sums are true; what we may not look at counts 0.
    """
    return sum(_own_pss_kib(each) for each in with_descendants(pid))


def _pids() -> Iterator[int]:
    for name in os.listdir(_PROC):  # noqa: PTH208 - names are enough, and there are hundreds
        if name.isdigit():
            yield int(name)


def _works_in(pid: int, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat((_PROC / str(pid) / "cwd").stat(), wanted)
    except OSError:  # ended meanwhile, or another user's
        return False


def _environment(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # as above
        return []


def _stat_fields(pid: int) -> list[str]:
    """Return state, parent, ... of ``/proc/<pid>/stat``: what follows the name, which may hold blanks itself."""
    try:
        return (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _own_pss_kib(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
