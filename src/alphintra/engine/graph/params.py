"""Typed parameters of nodes: what each accepts, and its one normal form."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import parse_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.engine.graph.wire import ParamValue

__all__ = ["ParamKind", "ParamSpec", "is_text_clean", "normalise", "spec_of"]

TEXT_CHARS_MAX = 64
_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
# C0/C1 controls, zero-width and bidirectional marks: invisible, so they can make two names look alike.
_FORBIDDEN_CHARS = frozenset(
    [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)


class ParamKind(StrEnum):
    """How a parameter is written."""

    INT = "int"
    NUMBER = "number"
    DECIMAL = "decimal"
    CHOICE = "choice"
    FLAG = "flag"
    TEXT = "text"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamSpec:
    """One parameter of a node type.

    Args:
        name: key in ``params``.
        kind: int, number (float64), decimal (exact, written as text), choice, flag, text or symbol.
        summary: what it means, with its unit.
        default: normal form of the value taken where none is given; None makes the parameter required.
        minimum: least value, or exclusive bound if ``is_minimum_open``.
        maximum: greatest value.
        is_minimum_open: whether the minimum itself is refused.
        choices: words a choice accepts.
        unsupported: words that exist in trading but not here; refused as ORDER_UNSUPPORTED.
        below_code: code for a value below the minimum.
        chars_max: characters a text may have.
        is_later: whether it came after graphs of this node version were stored: then the default is no part of the
            canonical form, and their hashes stay.
    """

    name: str
    kind: ParamKind
    summary: str
    default: ParamValue | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    is_minimum_open: bool = False
    choices: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    below_code: str = "FIELD_RANGE"
    is_later: bool = False
    chars_max: int = TEXT_CHARS_MAX

    @property
    def allowed(self) -> str:
        """The allowed values as a phrase for messages."""
        if self.kind is ParamKind.CHOICE:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        if self.kind is ParamKind.FLAG:
            return "true or false"
        if self.kind is ParamKind.SYMBOL:
            return "a symbol such as AAPL or BTC/USD"
        if self.minimum is None or self.maximum is None:
            return f"text of at most {self.chars_max} characters"
        return f"{'above ' if self.is_minimum_open else ''}{self.minimum} to {self.maximum}"


def normalise(spec: ParamSpec, params: Mapping[str, ParamValue]) -> ParamValue:
    """Return the one normal form of a parameter: its default if absent, decimals as their shortest plain text.

    Raises:
        AlphintraError: FIELD_REQUIRED, FIELD_TYPE, FIELD_RANGE (or the spec's own code), FIELD_CHOICE,
            ORDER_UNSUPPORTED, FIELD_CHARS or NUMBER_*; the detail ends with what is allowed.
    """
    if spec.name not in params:
        if spec.default is None:
            raise AlphintraError("FIELD_REQUIRED", f"{spec.name} is missing: give {spec.allowed}")
        return spec.default
    value = params[spec.name]
    match spec.kind:
        case ParamKind.INT | ParamKind.NUMBER | ParamKind.DECIMAL:
            return _number(spec, value)
        case ParamKind.CHOICE:
            return _choice(spec, value)
        case ParamKind.FLAG:
            if not isinstance(value, bool):
                raise _wrong_type(spec, value)
            return value
        case ParamKind.TEXT | ParamKind.SYMBOL:
            return _text(spec, value)
        case _:
            assert_never(spec.kind)


def spec_of(name: str, value: ParamValue) -> ParamSpec:
    """Return the parameter a value is of where nothing declares it: whole number, number, decimal, flag or text."""
    kind = ParamKind.TEXT
    if isinstance(value, bool):
        kind = ParamKind.FLAG
    elif isinstance(value, int):
        kind = ParamKind.INT
    elif isinstance(value, float):
        kind = ParamKind.NUMBER
    elif _PLAIN_DECIMAL.fullmatch(value):
        kind = ParamKind.DECIMAL
    return ParamSpec(name=name, kind=kind, summary="Declared by who carries the node out.")


def is_text_clean(text: str) -> bool:
    """Tell whether a text is free of control, zero-width and direction characters."""
    return not any(ord(char) in _FORBIDDEN_CHARS for char in text)


def _number(spec: ParamSpec, value: ParamValue) -> ParamValue:
    if isinstance(value, bool):
        raise _wrong_type(spec, value)
    if spec.kind is ParamKind.DECIMAL and isinstance(value, (str, int)):
        exact = parse_decimal(str(value))
        _require_range(spec, exact)
        return f"{exact.normalize():f}"
    if spec.kind is ParamKind.INT and isinstance(value, int):
        _require_range(spec, Decimal(value))
        return value
    if spec.kind is ParamKind.NUMBER and isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise AlphintraError("NUMBER_NOT_FINITE", f"{spec.name} is {value}: give {spec.allowed}")
        _require_range(spec, Decimal(value))
        return float(value)
    raise _wrong_type(spec, value)


def _choice(spec: ParamSpec, value: ParamValue) -> str:
    if not isinstance(value, str):
        raise _wrong_type(spec, value)
    if value in spec.unsupported:
        message = f'{spec.name} "{value}" is not supported in a graph yet: use {spec.allowed}'
        raise AlphintraError("ORDER_UNSUPPORTED", message)
    if value not in spec.choices:
        raise AlphintraError("FIELD_CHOICE", f'{spec.name} "{value[:60]}" is not known: use {spec.allowed}')
    return value


def _text(spec: ParamSpec, value: ParamValue) -> str:
    if not isinstance(value, str):
        raise _wrong_type(spec, value)
    if len(value) > spec.chars_max:
        raise AlphintraError("FIELD_RANGE", f"{spec.name} has {len(value)} characters: give {spec.allowed}")
    if spec.kind is ParamKind.SYMBOL and not _SYMBOL.fullmatch(value):
        raise AlphintraError("SYMBOL_FORMAT", f"{spec.name} {value[:40]!r} is no symbol: give {spec.allowed}")
    if not is_text_clean(value):
        raise AlphintraError("FIELD_CHARS", f"{spec.name} holds control or invisible characters: remove them")
    return value


def _require_range(spec: ParamSpec, value: Decimal) -> None:
    if spec.minimum is not None and (value < spec.minimum or (spec.is_minimum_open and value == spec.minimum)):
        raise AlphintraError(spec.below_code, f"{spec.name} {_short(value)} is too small: give {spec.allowed}")
    if spec.maximum is not None and value > spec.maximum:
        raise AlphintraError("FIELD_RANGE", f"{spec.name} {_short(value)} is too large: give {spec.allowed}")


def _short(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 30 else f"{value:.6E}"  # noqa: PLR2004 - only keeps a message readable


def _wrong_type(spec: ParamSpec, value: ParamValue) -> AlphintraError:
    hint = ' (decimals are written as text, e.g. "12.5")' if spec.kind is ParamKind.DECIMAL else ""
    message = f"{spec.name} must be a {spec.kind}, not {type(value).__name__}{hint}: give {spec.allowed}"
    return AlphintraError("FIELD_TYPE", message)
