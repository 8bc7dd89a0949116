"""Queries and bodies as Alpaca's clients write them: fields nobody knows are let pass, wrong ones are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from starlette.requests import Request

from alphintra.edge.alpaca.errors import refused
from alphintra.edge.strict_json import parse_json
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import parse_decimal, require_finite

__all__ = ["SYMBOL", "Fields", "body_of", "path_id", "query_of", "symbol_of"]

E = TypeVar("E", bound=StrEnum)

SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
LIST_MAX: Final = 500
TEXT_MAX: Final = 4096
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Fields:
    """The fields of a query or a JSON object; each is absent, or of the wanted kind, or refused by name."""

    def __init__(self, values: Mapping[str, object], *, path: str = "") -> None:
        self._values = values
        self._path = path

    def has(self, name: str) -> bool:
        """Tell whether the field is there and neither null nor empty."""
        return self._values.get(name) not in {None, ""} if _is_plain(self._values.get(name)) else True

    def text(self, name: str) -> str | None:
        """Return a text. Raises FIELD_TYPE or FIELD_LENGTH."""
        if not self.has(name):
            return None
        value = self._values[name]
        if not isinstance(value, str):
            raise self._wrong(name, "must be a text")
        if len(value) > TEXT_MAX:
            raise refused("FIELD_LENGTH", f"{self._path}{name} is too long", pointer=self._pointer(name))
        return value

    def required_text(self, name: str) -> str:
        """Return a text that must be there. Raises FIELD_REQUIRED too."""
        value = self.text(name)
        if value is None:
            raise refused("FIELD_REQUIRED", f"{self._path}{name} is required", pointer=self._pointer(name))
        return value

    def choice(self, name: str, wanted: type[E]) -> E | None:
        """Return a word out of a vocabulary. Raises FIELD_VALUE naming the words there are."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return wanted(value.lower())
        except ValueError as error:
            message = f"invalid {self._path}{name} {value[:40]!r}: take one of {', '.join(wanted)}"
            raise refused("FIELD_VALUE", message, pointer=self._pointer(name)) from error

    def required_choice(self, name: str, wanted: type[E]) -> E:
        """Return a word out of a vocabulary that must be there. Raises FIELD_REQUIRED too."""
        value = self.choice(name, wanted)
        if value is None:
            raise refused("FIELD_REQUIRED", f"{self._path}{name} is required", pointer=self._pointer(name))
        return value

    def amount(self, name: str) -> Decimal | None:
        """Return a decimal, written as text or as a number, exactly. Raises NUMBER_* or FIELD_TYPE."""
        if not self.has(name):
            return None
        value = self._values[name]
        try:
            if isinstance(value, str):
                return parse_decimal(value, pointer=self._pointer(name))
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return require_finite(Decimal(value), pointer=self._pointer(name))
        except AlphintraError as error:
            message = f"{self._path}{name}: {error.detail}"
            raise AlphintraError(error.code, message, kind=error.kind, pointer=self._pointer(name)) from error
        raise self._wrong(name, "must be a number")

    def flag(self, name: str) -> bool | None:
        """Return true or false; queries write them as text, capital or not. Raises FIELD_TYPE."""
        if not self.has(name):
            return None
        value = self._values[name]
        if isinstance(value, bool):
            return value
        words = {"true": True, "false": False, "1": True, "0": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        raise self._wrong(name, "must be true or false")

    def whole(self, name: str, *, default: int, least: int = 1, most: int) -> int:
        """Return a whole number within bounds. Raises FIELD_TYPE or FIELD_RANGE."""
        if not self.has(name):
            return default
        text = str(self._values[name])
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise self._wrong(name, "must be a whole number")
        number = int(text)
        if not least <= number <= most:
            message = f"{self._path}{name} must be {least} to {most}"
            raise refused("FIELD_RANGE", message, pointer=self._pointer(name))
        return number

    def moment(self, name: str) -> datetime | None:
        """Return a time: RFC 3339, or a day, which begins at midnight UTC. Raises TIME_FORMAT or TIME_NO_ZONE."""
        text = self.text(name)
        if text is None:
            return None
        try:
            if _DAY.fullmatch(text):
                return datetime.fromisoformat(text).replace(tzinfo=UTC)
            # A plus sign that was not escaped in a query arrives as a blank.
            found = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
        except ValueError as error:
            message = f"invalid {self._path}{name} {text[:40]!r}: write a time such as 2026-01-31T09:30:00Z"
            raise refused("TIME_FORMAT", message, pointer=self._pointer(name)) from error
        if found.tzinfo is None:
            message = f"{self._path}{name} has no time zone: end it with Z"
            raise refused("TIME_NO_ZONE", message, pointer=self._pointer(name))
        try:
            return found.astimezone(UTC)
        except OverflowError as error:
            message = f"{self._path}{name} is beyond all calendars"
            raise refused("TIME_FORMAT", message, pointer=self._pointer(name)) from error

    def day(self, name: str) -> date | None:
        """Return a date; of a time, the date it is written with. Raises TIME_FORMAT."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            message = f"invalid {self._path}{name} {text[:40]!r}: write a day such as 2026-01-31"
            raise refused("TIME_FORMAT", message, pointer=self._pointer(name)) from error

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list: a JSON array of texts, or one text with commas. Raises FIELD_TYPE or FIELD_LENGTH."""
        value = self._values.get(name)
        if value is None:
            return ()
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self._wrong(name, "must be a list of texts")
        if len(items) > LIST_MAX:
            message = f"{self._path}{name} has more than {LIST_MAX} entries"
            raise refused("FIELD_LENGTH", message, pointer=self._pointer(name))
        return tuple(item.strip() for item in items if item.strip())

    def inner(self, name: str) -> Fields | None:
        """Return an object within the object. Raises FIELD_TYPE."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "must be an object")
        return Fields(value, path=f"{self._path}{name}.")

    def is_filled(self, name: str) -> bool:
        """Tell whether the field holds anything."""
        return bool(self._values.get(name))

    def _pointer(self, name: str) -> str:
        return "/" + (self._path + name).replace(".", "/")

    def _wrong(self, name: str, what: str) -> AlphintraError:
        return refused("FIELD_TYPE", f"{self._path}{name} {what}", pointer=self._pointer(name))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str)


def query_of(request: Request) -> Fields:
    """Return the query's fields; of a parameter given several times the last one counts, lists are joined."""
    values: dict[str, object] = {}
    for name, value in request.query_params.multi_items():
        held = values.get(name)
        values[name] = f"{held},{value}" if name in {"symbols", "activity_types"} and held is not None else value
    for name, found in values.items():
        if "\0" in f"{name}{found}":
            raise refused("FIELD_CHARS", f"{name[:40]!r} holds the character U+0000")
    return Fields(values)


async def body_of(request: Request, *, is_optional: bool = False) -> Fields:
    """Return the fields of the JSON body. Raises BODY_EMPTY, JSON_* or FIELD_TYPE."""
    body = await request.body()
    if is_optional and not body.strip():
        return Fields({})
    tree = parse_json(body)
    if not isinstance(tree, dict):
        raise refused("JSON_SYNTAX", "request body format is invalid: send a JSON object")
    return Fields(tree)


def path_id(request: Request, name: str) -> UUID:
    """Return an id from the path. Raises FIELD_FORMAT."""
    try:
        return UUID(request.path_params[name])
    except ValueError as error:
        raise refused("FIELD_FORMAT", f"{name} is not a valid UUID", pointer=f"/{name}") from error


def symbol_of(text: str, *, pointer: str = "/symbol") -> str:
    """Return a symbol in capitals. Raises ORDER_UNKNOWN_SYMBOL for what cannot be one."""
    symbol = text.strip().upper()
    if not SYMBOL.fullmatch(symbol):
        raise refused("ORDER_UNKNOWN_SYMBOL", f"asset {text[:40]!r} not found", pointer=pointer)
    return symbol
