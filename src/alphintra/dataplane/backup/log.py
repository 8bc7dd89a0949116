"""An instance's log (WAL): its files' names, the archive of them at a target, and whether it is without a gap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from alphintra.dataplane.backup.catalogue import Catalogue
from alphintra.dataplane.backup.model import LogRange
from alphintra.dataplane.backup.sealing import Sealer, unseal
from alphintra.dataplane.backup.targets import Stored
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["LogArchive", "segment_name", "segment_number"]

_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_ARCHIVED: Final = re.compile(r"[0-9A-F]{24}(\.partial|\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history")
_READ_BYTES: Final = 1_048_576
_WORD: Final = 2**32
_SHOWN: Final = 3


def segment_number(name: str, segment_bytes: int) -> int:
    """Return the place of a segment in the log, whatever its timeline."""
    return int(name[8:16], 16) * (_WORD // segment_bytes) + int(name[16:24], 16)


def segment_name(timeline: int, position: str, segment_bytes: int) -> str:
    """Return the segment that holds a position such as ``0/2000028``."""
    high, _, low = position.partition("/")
    return f"{timeline:08X}{int(high, 16):08X}{int(low, 16) // segment_bytes:08X}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogArchive:
    """The log of one instance at a target; its catalogue says where and by which key."""

    catalogue: Catalogue

    @property
    def place(self) -> str:
        """Start of the names."""
        return f"{self.catalogue.place}log/"

    def files(self) -> dict[str, Stored]:
        """Return what is archived, by PostgreSQL's name for it."""
        found = self.catalogue.target.names(self.place)
        return {each.name.removeprefix(self.place).partition("-")[0]: each for each in found}

    def take(self, spool: Path) -> int:
        """Archive what PostgreSQL has put into a folder, and remove it there; return how many files.

        Cut anywhere, a file is archived once more, as the same. Nobody else may do it at the same time.
        """
        names = (
            sorted(path.name for path in spool.iterdir() if _ARCHIVED.fullmatch(path.name)) if spool.is_dir() else []
        )
        key = self.catalogue.keyring(self.catalogue.scope)[0]
        for name in names:
            sealer = Sealer(key, self.catalogue.about("log", name))
            with (spool / name).open("rb") as file:
                self.catalogue.target.put(f"{self.place}{name}-{key.ident}", sealer.seal(_pieces(file)))
            fault_point("backup.log_stored")
            (spool / name).unlink()
        return len(names)

    def require(self, log: LogRange, known: dict[str, Stored] | None = None) -> None:
        """Raise BACKUP_LOG naming the first segments of a range that are not archived."""
        there = self.files() if known is None else known
        first = segment_name(log.timeline, log.start, log.segment_bytes)
        last = segment_name(log.timeline, log.end, log.segment_bytes)
        self._require_without_gap(there, first, segment_number(last, log.segment_bytes), log.segment_bytes)

    def fetch(self, folder: Path, *, log: LogRange, known: dict[str, Stored]) -> int:
        """Bring all log from a backup's beginning on into a folder; return the number of segments.

        Raises BACKUP_LOG for a gap, BACKUP_CHECKSUM, BACKUP_KEY.
        """
        first = segment_name(log.timeline, log.start, log.segment_bytes)
        start = segment_number(first, log.segment_bytes)
        wanted = [
            name
            for name in sorted(known)
            if not _SEGMENT.fullmatch(name[:24]) or segment_number(name, log.segment_bytes) >= start
        ]
        segments = [name for name in wanted if _SEGMENT.fullmatch(name)]
        if not segments:
            raise _gap([first])
        last = max(segment_number(name, log.segment_bytes) for name in segments)
        self._require_without_gap(known, first, last, log.segment_bytes)
        for name in wanted:
            stored = known[name].name
            about = self.catalogue.about("log", name)
            key = self.catalogue.key(stored.rpartition("-")[2])
            with (folder / name).open("wb") as file:
                for piece in unseal(self.catalogue.target.get(stored), key=key, about=about, name=stored):
                    file.write(piece)
        return len(segments)

    def until(self, log: LogRange, known: dict[str, Stored]) -> Stored | None:
        """Return the last segment that can be reached from a backup without a gap; None if its own are missing."""
        first = segment_name(log.timeline, log.start, log.segment_bytes)
        by_number: dict[int, Stored] = {}
        for name, stored in known.items():
            if _SEGMENT.fullmatch(name):
                by_number[segment_number(name, log.segment_bytes)] = stored
        number = segment_number(first, log.segment_bytes)
        found = None
        while number in by_number:
            found = by_number[number]
            number += 1
        return found

    def remove_before(self, log: LogRange) -> int:
        """Remove what no backup from this one on needs; return how many files."""
        first = segment_number(segment_name(log.timeline, log.start, log.segment_bytes), log.segment_bytes)
        old = [
            stored.name
            for name, stored in self.files().items()
            if _SEGMENT.match(name) and segment_number(name, log.segment_bytes) < first
        ]
        self.catalogue.target.delete(old)
        return len(old)

    def _require_without_gap(self, there: dict[str, Stored], first: str, last: int, segment_bytes: int) -> None:
        start = segment_number(first, segment_bytes)
        have = {segment_number(name, segment_bytes) for name in there if _SEGMENT.fullmatch(name)}
        missing = [number for number in range(start, last + 1) if number not in have]
        if missing:
            per = _WORD // segment_bytes
            raise _gap([f"{first[:8]}{number // per:08X}{number % per:08X}" for number in missing])


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_READ_BYTES):
        yield piece


def _gap(names: Sequence[str]) -> AlphintraError:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    message = (
        f"the log has a gap: {', '.join(names[:_SHOWN])}{more} is not archived; "
        "restore to a moment before it, or from a later backup"
    )
    return AlphintraError("BACKUP_LOG", message, kind=Kind.CONFLICT)
