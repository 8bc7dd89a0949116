"""Kinds of values on the command line, each refused with its code before anything is sent."""

from __future__ import annotations

import json
import re
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import parse_decimal, require_positive

__all__ = [
    "AMOUNT",
    "DAY",
    "POSITIVE",
    "SYMBOL",
    "TRADED",
    "check_range",
    "read_text",
    "readable_bytes",
    "require_confirmed",
    "traded",
]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")


class _Amount(click.ParamType[str]):
    """A plain decimal number, handed on as the text it was."""

    name = "number"

    def __init__(self, *, is_positive: bool) -> None:
        self._is_positive = is_positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click
        del ctx
        name = _name_of(param)
        try:
            number = parse_decimal(str(value), pointer=name)
            if self._is_positive:
                require_positive(number, pointer=name)
        except AlphintraError as error:
            raise AlphintraError(error.code, f"{name}: {error.detail}", kind=error.kind, pointer=name) from error
        return str(value)


class _Day(click.ParamType[str]):
    """A day (UTC) or a moment with its zone, handed on as RFC 3339 text."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click
        del ctx
        text = str(value)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            detail = f"{_name_of(param)}: {text[:40]!r} is no day such as 2010-01-31"
            raise AlphintraError("TIME_FORMAT", detail, pointer=_name_of(param)) from error
        if _DAY.fullmatch(text):
            moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is None:
            detail = f"{_name_of(param)}: {text[:40]!r} has no time zone: write a day, or end it with Z"
            raise AlphintraError("TIME_NO_ZONE", detail, pointer=_name_of(param))
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class _Symbol(click.ParamType[str]):
    """A symbol, in capitals."""

    name = "symbol"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click
        del ctx
        symbol = str(value).upper()
        if not _SYMBOL.fullmatch(symbol):
            detail = f"{_name_of(param)}: {str(value)[:40]!r} is no symbol such as AAPL"
            raise AlphintraError("SYMBOL_FORMAT", detail, pointer=_name_of(param))
        return symbol


class _Symbols(click.ParamType[tuple[str, ...]]):
    """Symbols with commas between them, in capitals."""

    name = "symbols"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ANN401 - click
        return tuple(SYMBOL.convert(part.strip(), param, ctx) for part in str(value).split(","))


AMOUNT = _Amount(is_positive=False)
POSITIVE = _Amount(is_positive=True)
DAY = _Day()
SYMBOL = _Symbol()
TRADED = click.option(
    "--symbol",
    "--symbols",
    "symbols",
    type=_Symbols(),
    multiple=True,
    required=True,
    help="What it trades; several with commas between them, or one option each.",
)


def traded(symbols: tuple[tuple[str, ...], ...]) -> dict[str, object]:
    """Return what `TRADED` took as fields of a request: one symbol, or several."""
    told = [symbol for part in symbols for symbol in part]
    return {"symbol": told[0]} if len(told) == 1 else {"symbols": told}


def check_range(start: str | None, end: str | None) -> None:
    """Raise RANGE unless the start, as `DAY` gives it, lies before the end."""
    if start is not None and end is not None and datetime.fromisoformat(start) >= datetime.fromisoformat(end):
        raise AlphintraError("RANGE", f"--start {start} is not before --end {end}: swap them", pointer="--start")


def readable_bytes(path: Path) -> bytes:
    """Read a file whole. Raises FILE_NOT_FOUND, FILE_NOT_A_FILE, FILE_UNREADABLE, FILE_CHANGED or FILE_EMPTY."""
    try:
        before = path.stat()
        if not stat.S_ISREG(before.st_mode):
            raise AlphintraError("FILE_NOT_A_FILE", f"{path} is no file: name one", pointer="FILE")
        data = path.read_bytes()
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            detail = f"{path} changed while it was read: wait until it is complete, and repeat the command"
            raise AlphintraError("FILE_CHANGED", detail, pointer="FILE")
    except (FileNotFoundError, NotADirectoryError) as error:
        detail = f"there is no file {path}: check its name and folder"
        raise AlphintraError("FILE_NOT_FOUND", detail, pointer="FILE") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        detail = f"{path} cannot be read ({reason}): change its owner or mode"
        raise AlphintraError("FILE_UNREADABLE", detail, pointer="FILE") from error
    if not data:
        raise AlphintraError("FILE_EMPTY", f"{path} is empty", pointer="FILE")
    return data


def read_text(path: Path) -> str:
    """Read a file as UTF-8. Raises ENCODING and what `readable_bytes` raises."""
    try:
        return readable_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        detail = f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8"
        raise AlphintraError("ENCODING", detail, pointer="FILE") from error


def json_object_text(file: Path) -> str:
    """Return a file's JSON object as it is written. Raises JSON_SYNTAX with line and column, and those of the file."""
    text = read_text(file)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        detail = f"{file}:{error.lineno}:{error.colno}: {error.msg}"
        raise AlphintraError("JSON_SYNTAX", detail, pointer="FILE") from error
    except (RecursionError, ValueError) as error:
        detail = f"{file} is nested too deeply or holds a number too long: it is no strategy"
        raise AlphintraError("JSON_TOO_DEEP", detail, pointer="FILE") from error
    if not isinstance(document, dict):
        raise AlphintraError("FIELD_TYPE", f"{file} holds no JSON object: a strategy is one", pointer="FILE")
    return text


def require_confirmed(question: str, *, is_confirmed: bool) -> None:
    """Return if the caller said --yes or says yes now. Raises CONFIRM_REQUIRED where nobody can be asked."""
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        detail = f"{question} Nobody can be asked here: repeat the command with --yes"
        raise AlphintraError("CONFIRM_REQUIRED", detail, pointer="--yes")
    click.confirm(question, abort=True, err=True)


def _name_of(param: click.Parameter | None) -> str:
    if param is None:
        return "value"
    return max(param.opts, key=len) if isinstance(param, click.Option) else (param.name or "value").upper()
