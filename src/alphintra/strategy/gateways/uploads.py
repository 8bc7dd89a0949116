"""Text out of uploaded files: plain, gzip or zip, CSV or arrays of JSON, never more of it than was agreed."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from alphintra.kernel.errors import AlphintraError

__all__ = ["is_parquet", "text_lines"]

LINE_CHARS_MAX: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_PARQUET: Final = b"PAR1"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ENCRYPTED: Final = 0x1
_BETWEEN: Final = " \t\r\n,["


def is_parquet(path: Path) -> bool:
    """Tell whether a file begins as Parquet does."""
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def text_lines(path: Path, *, bytes_max: int) -> Iterator[str]:
    """Yield the text lines of a file, plain, gzip or a zip of one file; of arrays in JSON one line for each.

    UTF-8 with or without a mark, and UTF-16 with one.

    Raises:
        AlphintraError: ENCODING, FILE_TRUNCATED, FILE_CHANGED, ARCHIVE_UNSAFE for an archive that unpacks too far or
            holds what it should not, CSV_DIALECT for a line of more than 64 Ki characters.
    """
    before = _state(path)
    number = 0
    try:
        with ExitStack() as opened:
            text = _text(path, opened, bytes_max)
            for number, line in enumerate(_lines(text), start=1):  # noqa: B007 - told where it breaks
                yield line
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 text (soon after line {number}): save it as UTF-8"
        raise AlphintraError("ENCODING", message) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise AlphintraError("FILE_TRUNCATED", "the archive is cut off or damaged: fetch it again") from error
    if _state(path) != before:
        raise AlphintraError("FILE_CHANGED", "the file changed while it was read: send it again when it is complete")


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _text(path: Path, opened: ExitStack, bytes_max: int) -> io.TextIOWrapper:
    file = opened.enter_context(path.open("rb"))
    magic = file.peek(4)
    unpacked: Any = file
    if magic.startswith(_GZIP):
        unpacked = gzip.GzipFile(fileobj=file)
    elif magic.startswith(_ZIP):
        archive = opened.enter_context(zipfile.ZipFile(file))
        unpacked = opened.enter_context(archive.open(_only_member(archive)))
    bounded = io.BufferedReader(_Bounded(unpacked, bytes_max))
    encoding = "utf-16" if bounded.peek(2)[:2] in _UTF_16 else "utf-8-sig"
    return io.TextIOWrapper(bounded, encoding=encoding, newline="")


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file of an archive. Raises ARCHIVE_UNSAFE for several, links, paths that leave it, and locks."""
    members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or stat.S_ISLNK(member.external_attr >> 16):
            message = f"the zip holds {member.filename[:60]!r}, which leads out of it: pack the file alone"
            raise AlphintraError("ARCHIVE_UNSAFE", message)
        if member.flag_bits & _ENCRYPTED:
            raise AlphintraError("ARCHIVE_UNSAFE", "the zip is locked with a password: unpack it first")
    if len(members) != 1:
        raise AlphintraError("ARCHIVE_UNSAFE", f"the zip holds {len(members)} files: send a zip of one")
    return members[0]


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    first = True
    number = 0
    while line := text.readline(LINE_CHARS_MAX):
        number += 1
        if first and line.lstrip("\ufeff \t\r\n").startswith("["):
            yield from _json_rows(text, line)
            return
        first = first and not line.strip()
        if len(line) == LINE_CHARS_MAX:
            message = f"line {number} has {LINE_CHARS_MAX} characters or more: write one bar per line"
            raise AlphintraError("CSV_DIALECT", message)
        yield line


def _json_rows(text: io.TextIOWrapper, held: str) -> Iterator[str]:
    """Yield the inner arrays of ``[[a, b], [c, d]]`` as lines ``a, b``."""
    while True:
        *rows, held = held.split("]")
        for row in rows:
            inner = row.lstrip(_BETWEEN)
            if "{" in inner or "[" in inner:
                message = "the JSON is no array of arrays of numbers: write [[time, open, high, low, close, volume], …]"
                raise AlphintraError("CSV_DIALECT", message)
            if inner:
                yield " ".join(inner.split()) + "\n"
        if len(held) > LINE_CHARS_MAX:
            raise AlphintraError("CSV_DIALECT", f"an array of the JSON has more than {LINE_CHARS_MAX} characters")
        piece = text.read(LINE_CHARS_MAX)
        if not piece:
            break
        held += piece
    if held.strip(_BETWEEN):
        raise AlphintraError("FILE_TRUNCATED", "the JSON ends inside an array: fetch it again")


class _Bounded(io.RawIOBase):
    """Reads on until too much has come: a small archive may unpack to more than the disk or memory holds."""

    def __init__(self, source: IO[bytes], bytes_max: int) -> None:
        self._source = source
        self._bytes_max = bytes_max
        self._read = 0

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer has no type before Python 3.12
        """Fill the buffer; return how many bytes came. Raises ARCHIVE_UNSAFE."""
        data = self._source.read(len(buffer))
        self._read += len(data)
        if self._read > self._bytes_max:
            message = f"the file unpacks to more than {self._bytes_max} bytes: split it"
            raise AlphintraError("ARCHIVE_UNSAFE", message)
        buffer[: len(data)] = data
        return len(data)
