"""Installed packages that bring algorithms: what is there, and whether it is still what a strategy was bound to."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alphintra.engine.algorithms import ENTRY_POINTS
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import AlgorithmId

__all__ = ["PACKAGES_VARIABLE", "PATH_VARIABLE", "Installed", "Packages", "content_hash", "found_in", "require_content"]

PACKAGES_VARIABLE: Final = "ALPHINTRA_STRATEGY_PACKAGES"
"""Packages whose algorithms may run, with commas between; none are unless they are named here."""
PATH_VARIABLE: Final = "ALPHINTRA_STRATEGY_PATH"
"""A folder packages were installed into by themselves, looked into before this program's own."""
FILES_MAX: Final = 10_000
_NOT_CODE: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
_SEPARATORS: Final = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An algorithm an installed package names.

    ``problem`` says why it cannot run, empty where it can; ``content_hash`` is empty where its files cannot be told.
    """

    algorithm: str
    package: str
    release: str
    content_hash: str
    is_allowed: bool
    problem: str


class Packages:
    """The algorithms of this installation, none of whose code is loaded to tell of them.

    Args:
        environ: environment of the process, with PACKAGES_VARIABLE and PATH_VARIABLE.
        search: folders that are looked into.
    """

    def __init__(self, environ: Mapping[str, str], search: Sequence[str]) -> None:
        own = environ.get(PATH_VARIABLE, "").strip()
        self.search = (*((own,) if own else ()), *(folder for folder in search if folder))
        named = environ.get(PACKAGES_VARIABLE, "").split(",")
        self.allowed = frozenset(_normal(name.strip()) for name in named if name.strip())

    def installed(self) -> tuple[Installed, ...]:
        """Return what is there, by name. Reads every file of the packages that are allowed."""
        found = [self._told(point, distribution) for point, distribution in found_in(self.search)]
        return tuple(sorted(found, key=lambda each: (each.algorithm, each.package)))

    def require(self, algorithm: AlgorithmId) -> None:
        """Check that what a strategy is bound to is there, may run and is unchanged.

        Raises:
            AlphintraError: ALGORITHM_NOT_ALLOWED, ALGORITHM_NOT_INSTALLED or ALGORITHM_CHANGED.
        """
        if _normal(algorithm.package) not in self.allowed:
            message = (
                f"the package {algorithm.package} may not run here: the operator allows packages by name in "
                f"{PACKAGES_VARIABLE}"
            )
            raise AlphintraError("ALGORITHM_NOT_ALLOWED", message, kind=Kind.FORBIDDEN)
        require_content(algorithm, self.search)

    def _told(self, point: EntryPoint, distribution: Distribution) -> Installed:
        name = distribution.metadata["Name"]
        is_allowed = _normal(name) in self.allowed
        problem, found = "" if is_allowed else f"not allowed: {PACKAGES_VARIABLE} does not name it", ""
        try:
            found = content_hash(distribution)
        except AlphintraError as error:
            problem = problem or error.detail
        return Installed(
            algorithm=point.name,
            package=name,
            release=distribution.version,
            content_hash=found,
            is_allowed=is_allowed,
            problem=problem,
        )


def found_in(search: Sequence[str]) -> Iterator[tuple[EntryPoint, Distribution]]:
    """Yield the entry points of algorithms with their packages; of a package found twice the first."""
    importlib.invalidate_caches()
    seen: set[str] = set()
    for distribution in Distribution.discover(path=list(search)):
        name = distribution.metadata["Name"]
        if not name or _normal(name) in seen:
            continue
        seen.add(_normal(name))
        for point in distribution.entry_points:
            if point.group == ENTRY_POINTS:
                yield point, distribution


def require_content(algorithm: AlgorithmId, search: Sequence[str]) -> tuple[EntryPoint, Distribution]:
    """Return the entry point of an algorithm, its package being what the strategy was bound to.

    Raises:
        AlphintraError: ALGORITHM_NOT_INSTALLED or ALGORITHM_CHANGED.
    """
    for point, distribution in found_in(search):
        if _normal(distribution.metadata["Name"]) != _normal(algorithm.package) or point.name != algorithm.algorithm:
            continue
        found = content_hash(distribution)
        if distribution.version != algorithm.release or found != algorithm.content_hash:
            message = (
                f"the strategy is bound to {algorithm.package} {algorithm.release} ({algorithm.content_hash[:12]}), "
                f"installed is {distribution.version} ({found[:12]}): install that release again, or make a new "
                "version of the strategy with what is installed"
            )
            raise AlphintraError("ALGORITHM_CHANGED", message, kind=Kind.CONFLICT)
        return point, distribution
    message = f"no installed package {algorithm.package} names an algorithm {algorithm.algorithm}: install it"
    raise AlphintraError("ALGORITHM_NOT_INSTALLED", message, kind=Kind.NOT_FOUND)


def content_hash(distribution: Distribution) -> str:
    """Return the sha-256 over the paths and contents of a package's files, bytecode and notes of installers left out.

    Raises:
        AlphintraError: ALGORITHM_FILES where its files are elsewhere (an editable installation) or unknown.
    """
    name = distribution.metadata["Name"]
    if _is_editable(distribution) or not distribution.files:
        message = f"{name} is not installed as files of its own: install it as a wheel, not editable"
        raise AlphintraError("ALGORITHM_FILES", message)
    if len(distribution.files) > FILES_MAX:
        raise AlphintraError("ALGORITHM_FILES", f"{name} has more than {FILES_MAX} files")
    whole = hashlib.sha256()
    for relative in sorted(str(path) for path in distribution.files):
        if relative.endswith(".pyc") or relative.rpartition("/")[2] in _NOT_CODE:
            continue
        whole.update(f"{relative}\0{_file_hash(distribution, relative)}\n".encode())
    return whole.hexdigest()


def _file_hash(distribution: Distribution, relative: str) -> str:
    path = Path(str(distribution.locate_file(relative)))
    try:
        state = path.stat()
        return _hashed(str(path), state.st_mtime_ns, state.st_ino, state.st_size)
    except OSError as error:
        message = f"{distribution.metadata['Name']} lacks its file {relative}: install it again"
        raise AlphintraError("ALGORITHM_FILES", message) from error


@lru_cache(maxsize=FILES_MAX)
def _hashed(path: str, _changed_ns: int, _inode: int, _size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _is_editable(distribution: Distribution) -> bool:
    told = distribution.read_text("direct_url.json")
    if not told:
        return False
    try:
        return bool(json.loads(told).get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return False


def _normal(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
