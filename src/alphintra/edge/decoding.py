"""From a parsed JSON tree to a declared body, every mismatch as a stable code with its pointer."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar

import msgspec

from alphintra.edge.problems import did_you_mean
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import parse_decimal, require_finite

__all__ = ["Amount", "Document", "Label", "bind", "plain_amount", "special_schema"]

T = TypeVar("T", bound=msgspec.Struct)
LABEL_MAX: Final = 120
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Amount(Decimal):
    """A plain decimal as text (``"12.50"``) or as a JSON number, read exactly; see kernel.money for its bounds."""


class Label(str):
    """A name people read: 1 to 120 characters, none of them control or invisible ones."""

    __slots__ = ()


class Document(str):
    """A JSON object that is handed on as text, e.g. a strategy graph."""

    __slots__ = ()


class _Refused(ValueError):  # noqa: N818 - only carries the error through msgspec, which adds the path
    def __init__(self, error: AlphintraError) -> None:
        super().__init__(error.code)
        self.error = error


def plain_amount(amount: Amount | None) -> Decimal | None:
    """Return an amount as it travels, None where there is none."""
    return None if amount is None else Decimal(amount)


def bind(wanted: type[T], tree: object) -> T:
    """Read a tree as the wanted body.

    Raises FIELD_UNKNOWN (with the closest name), FIELD_REQUIRED, FIELD_TYPE, FIELD_FORMAT, FIELD_VALUE, FIELD_LENGTH,
    FIELD_RANGE, FIELD_CHARS, TIME_NO_ZONE, TIME_FORMAT or NUMBER_*.
    """
    try:
        return msgspec.convert(tree, wanted, dec_hook=_read_special)
    except msgspec.ValidationError as error:
        raise _translate(wanted, error) from error


def special_schema(wanted: type) -> dict[str, object]:
    """Return the JSON schema of the types of this module. Raises NotImplementedError for others."""
    if wanted is Amount:
        text = {"type": "string", "pattern": r"^-?[0-9]{1,30}(\.[0-9]{1,30})?$"}
        return {"description": Amount.__doc__, "anyOf": [text, {"type": "number"}]}
    if wanted is Label:
        return {"description": Label.__doc__, "type": "string", "minLength": 1, "maxLength": LABEL_MAX}
    if wanted is Document:
        return {"type": "object"}
    raise NotImplementedError


def _read_special(wanted: type, value: object) -> object:
    try:
        if wanted is Amount:
            return _amount(value)
        if wanted is Label:
            return _label(value)
        if wanted is Document:
            return _document(value)
    except AlphintraError as error:
        raise _Refused(error) from error
    raise NotImplementedError


def _amount(value: object) -> Amount:
    if isinstance(value, str):
        return Amount(parse_decimal(value))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            return Amount(require_finite(Decimal(value)))
        except InvalidOperation as error:
            raise AlphintraError("NUMBER_RANGE", "has more digits than an amount can have") from error
    raise AlphintraError("FIELD_TYPE", 'must be a decimal, as text such as "12.50" or as a number')


def _label(value: object) -> Label:
    if not isinstance(value, str):
        raise AlphintraError("FIELD_TYPE", "must be a text")
    if not value.strip() or len(value) > LABEL_MAX:
        raise AlphintraError("FIELD_LENGTH", f"must have 1 to {LABEL_MAX} characters")
    for character in value:
        if unicodedata.category(character) in _INVISIBLE:
            message = f"holds the control or invisible character U+{ord(character):04X}: remove it"
            raise AlphintraError("FIELD_CHARS", message)
    return Label(value)


def _document(value: object) -> Document:
    if not isinstance(value, dict):
        raise AlphintraError("FIELD_TYPE", "must be a JSON object")
    return Document(json.dumps(value, default=_binary_number, allow_nan=False, separators=(",", ":")))


def _binary_number(value: object) -> float:
    """Numbers of a document are binary by its own schema; only those that have no such value are refused."""
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    number = float(value)
    if not value.is_finite():
        raise AlphintraError("NUMBER_NOT_FINITE", f"holds {value}, which is no JSON number")
    if number in {float("inf"), float("-inf")}:
        raise AlphintraError("NUMBER_RANGE", f"holds {value:.3E}, which is beyond every number it could mean")
    return number


_PATH: Final = re.compile(r" - at `\$(?P<path>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z0-9_]+)|\[([0-9]+)\]")
_NAMED: Final = re.compile(r"`(?P<name>.*)`", re.DOTALL)
_CODES: Final = (
    ("Invalid UUID", "FIELD_FORMAT"),
    ("Invalid enum value", "FIELD_VALUE"),
    ("Invalid RFC3339", "TIME_FORMAT"),
)


def _translate(wanted: type[msgspec.Struct], error: msgspec.ValidationError) -> AlphintraError:
    path = _PATH.search(str(error))
    message = _PATH.sub("", str(error))
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall(path["path"])) if path else ""
    if isinstance(error.__cause__, _Refused):
        cause = error.__cause__.error
        return AlphintraError(cause.code, f"{pointer[1:]}: {cause.detail}", kind=cause.kind, pointer=pointer)
    named = _NAMED.search(message)
    name = named["name"] if named else ""
    if message.startswith("Object contains unknown field"):
        hint = did_you_mean(name, wanted.__struct_encode_fields__)
        return AlphintraError("FIELD_UNKNOWN", f"there is no field {name[:60]!r}: {hint}", pointer=f"{pointer}/{name}")
    if message.startswith("Object missing required field"):
        return AlphintraError("FIELD_REQUIRED", f"{name} is missing: add it", pointer=f"{pointer}/{name}")
    for beginning, code in _CODES:
        if message.startswith(beginning):
            return AlphintraError(code, f"{pointer[1:]}: {message}", pointer=pointer)
    return AlphintraError(_constraint_code(message), f"{pointer[1:] or 'body'}: {message}", pointer=pointer)


def _constraint_code(message: str) -> str:
    if "with a timezone" in message:
        return "TIME_NO_ZONE"
    if "of length" in message:
        return "FIELD_LENGTH"
    if "matching regex" in message:
        return "FIELD_FORMAT"
    if re.search(r"` [<>]=? ", message):
        return "FIELD_RANGE"
    return "FIELD_TYPE"
